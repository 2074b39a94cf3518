/**
 * `npm run bench:start`: what a process pays for its start, and how long its end takes. CPU time (user and
 * system, of the process itself, from its start) up to the first response of a hello-world server, up to the
 * exit of a tool of ten spans, and of a process that does nothing; then the time from the program's last
 * statement until its parent is told of its end. In each round every contestant runs once, in an order that
 * changes; medians.
 *
 * Excluded: the shipper, which lives for all of them and is started before the first round, but for the
 * contestant that starts one, where what that takes of the starter is included; and the client of the
 * request.
 *
 *   npm run bench:start -- --rounds 15
 *   cd bench/peers && npm ci          once, for dd-trace and the others that are there
 *   cd bench/otel-2 && npm ci         once, for OpenTelemetry's SDK
 *
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { BenchProcess, benchRoot } from './processes.js';
import { Progress } from './progress.js';
import { renderTable, saveResults } from './report.js';
import { median, quartile, spread } from './statistics.js';
import { TimeLimit } from './time-limit.js';

const { rounds, minutes, node } = new Command('bench:start')
  .option('--rounds <n>', 'of each contestant', Number, 15)
  .option('--minutes <n>', 'no further round begins that would end later', Number)
  .option('--node <path>', 'the Node.js that is measured', (path) => resolve(path), process.execPath)
  .parse()
  .opts<{ rounds: number; minutes?: number; node: string }>();

interface Contestant {
  name: string;
  execArgv?: string[];
  env?: NodeJS.ProcessEnv;
  /** In a project that has the package of all instrumentations. */
  isInstrumented?: boolean;
  /** No shipper is there: it starts one. */
  startsShipper?: boolean;
}

const PROGRAMS = ['hello', 'tool', 'nothing'] as const;
type Program = (typeof PROGRAMS)[number];

const INSTRUMENTATIONS = '@opentelemetry/auto-instrumentations-node';
const register = new URL('../dist/register.js', import.meta.url).href;
const peer = (name: string, preload: string): Contestant[] =>
  existsSync(join(benchRoot, 'peers/node_modules', name))
    ? [{ name, execArgv: ['--require', join(benchRoot, 'peers', preload)] }]
    : [];
const untraced: Contestant = { name: 'untraced' };
const contestants: Contestant[] = [
  untraced,
  { name: 'forktrace/register', execArgv: ['--import', register] },
  { name: 'forktrace/register, starts the shipper', execArgv: ['--import', register], startsShipper: true },
  { name: 'forktrace, two lines', env: { BENCH_TWO_LINES: '1' } },
  ...(existsSync(join(benchRoot, 'otel-2/node_modules'))
    ? [{ name: 'OpenTelemetry 2.x', execArgv: ['--require', join(benchRoot, 'otel-2/setup.cjs')] }]
    : []),
  ...peer('dd-trace', 'dd-trace.cjs'),
  ...peer('@sentry/node', 'sentry.cjs'),
  ...peer('elastic-apm-node', 'elastic-apm.cjs'),
  ...peer(INSTRUMENTATIONS, `node_modules/${INSTRUMENTATIONS}/build/src/register.js`),
  ...peer(INSTRUMENTATIONS, '').map(() => ({
    name: 'forktrace/register with its instrumentations',
    execArgv: ['--import', register],
    isInstrumented: true,
  })),
];

/** The two lines are a server's, and what starts nothing starts no shipper. */
const runs = ({ env, startsShipper }: Contestant, program: Program) =>
  (program === 'hello' || env === undefined) && (program !== 'nothing' || !startsShipper);

const dir = mkdtempSync(join(tmpdir(), 'forktrace-bench-start-'));
/** A project of its own, which has no instrumentation installed, unless it is to have all. */
function project(name: string): string {
  const root = join(dir, name);
  mkdirSync(join(root, 'node_modules/@opentelemetry'), { recursive: true });
  symlinkSync(join(benchRoot, '..'), join(root, 'node_modules/forktrace'));
  symlinkSync(join(benchRoot, '../node_modules/@opentelemetry/api'), join(root, 'node_modules/@opentelemetry/api'));
  for (const program of PROGRAMS) cpSync(join(benchRoot, `apps/start-${program}.cjs`), join(root, `${program}.cjs`));
  return root;
}
const plain = project('plain');
const instrumented = project('instrumented');
symlinkSync(
  join(benchRoot, 'peers/node_modules', INSTRUMENTATIONS),
  join(instrumented, 'node_modules', INSTRUMENTATIONS),
);
let journals = 0;
const sink = new BenchProcess(join(benchRoot, '../dist-bench/sink.js'), []);
const ports = await sink.next<{ port: number; httpPort: number }>();
const environment = {
  ...process.env,
  NODE_ENV: 'production',
  // One journal directory, so that the keeper's shipper is there for all: a package.json above would name it.
  OTEL_SERVICE_NAME: 'bench-start',
  FORKTRACE_QUIET: '1',
  FORKTRACE_JOURNAL_DIR: join(dir, 'journal'),
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${ports.port}`,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  BENCH_HTTP_SINK: `http://127.0.0.1:${ports.httpPort}`,
};

interface Measured {
  /** CPU time in milliseconds, as the process has read it from the operating system. */
  cpuMs: number;
  /** From its last statement to its end, as its parent sees it. */
  endMs: number;
}

async function measure(contestant: Contestant, program: Program): Promise<Measured> {
  const root = contestant.isInstrumented ? instrumented : plain;
  const journal = contestant.startsShipper && { FORKTRACE_JOURNAL_DIR: join(dir, `journal-${++journals}`) };
  const child: ChildProcess = spawn(node, [...(contestant.execArgv ?? []), join(root, `${program}.cjs`)], {
    env: { ...environment, ...contestant.env, ...journal },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'close');
  let goneAt = 0;
  child.once('exit', () => {
    goneAt = performance.timeOrigin + performance.now();
  });
  let cpuMs: number | undefined;
  let endsAt: number | undefined;
  for await (const line of createInterface(child.stdout!)) {
    const [what, value] = line.split(' ');
    if (what === 'port') get({ host: '127.0.0.1', port: Number(value), agent: false }, (response) => response.resume());
    else if (what === 'cpu') cpuMs = Number(value);
    else if (what === 'ends') endsAt = Number(value);
  }
  const [code] = await exited;
  if (code !== 0 || cpuMs === undefined || endsAt === undefined)
    throw new Error(`${contestant.name}, ${program}: exit code ${code}`);
  return { cpuMs, endMs: goneAt - endsAt };
}

const cells = PROGRAMS.flatMap((program) =>
  contestants
    .filter((one) => runs(one, program))
    .map((contestant) => ({ contestant, program, cpuMs: [] as number[], endMs: [] as number[] })),
);
/**
 * A living process keeps the shipper of the directory, so that no round starts one; and it has served a
 * request, so that the code of that is kept for those who come later, as any service keeps it for its next
 * start.
 */
const KEEPER = `
  const server = require('node:http').createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  server.on('listening', () => require('node:http').get({ port: server.address().port, host: '127.0.0.1' }).end());
  require('@opentelemetry/api').trace.getTracer('bench').startSpan('keeper').end();
  setTimeout(() => console.log('kept'), 5000);
`;
const keeper = spawn(node, ['--import', register, '-e', KEEPER], {
  cwd: plain,
  env: environment,
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  await once(keeper.stdout!, 'data', { signal: AbortSignal.timeout(60_000) });
  const progress = new Progress((rounds + 1) * cells.length);
  const limit = new TimeLimit(minutes);
  for (let round = 0; round <= rounds; round++) {
    for (let at = 0; at < cells.length; at++) {
      const cell = cells[(at + round) % cells.length]!;
      const { cpuMs, endMs } = await measure(cell.contestant, cell.program);
      // The first round warms the file cache.
      if (round > 0) {
        cell.cpuMs.push(cpuMs);
        cell.endMs.push(endMs);
      }
      progress.step(`${cell.program}, ${cell.contestant.name}`);
    }
    if (!limit.next() && round > 0) break;
  }
  progress.end();
} finally {
  const gone = once(keeper, 'exit');
  keeper.kill();
  await gone;
  await sink.stop('SIGKILL');
  rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}

const summary = cells.map(({ contestant, program, cpuMs, endMs }) => {
  const base = cells.find((cell) => cell.program === program && cell.contestant === untraced)!.cpuMs;
  return {
    program,
    name: contestant.name,
    cpuMs: median(cpuMs),
    spread: spread(cpuMs),
    addedMs: median(cpuMs) - median(base),
    ratio: median(cpuMs) / median(base),
    ratioThreeQuarters: quartile(
      cpuMs.map((own, round) => own / base[round]!),
      'upper',
    ),
    endMs: median(endMs),
  };
});
console.log(
  renderTable(
    ['start of', '', 'CPU ms', '±', 'added ms', '× untraced', 'end ms'],
    summary.map(({ program, name, cpuMs, spread, addedMs, ratio, endMs }) => [
      program,
      name,
      cpuMs.toFixed(1),
      `${(spread * 100).toFixed(0)}%`,
      addedMs.toFixed(1),
      ratio.toFixed(2),
      endMs.toFixed(1),
    ]),
  ),
);
const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
saveResults('start', { node: version, rounds: cells[0]!.cpuMs.length, summary });
