/**
 * `npm run loss-matrix:logs`: what is left of the last lines of a process, for each way of logging and each
 * way of dying, on the terminal and in docs/loss-matrix-logs.md. Exits non-zero when a cell of forktrace is
 * short. With words: only ends that contain one, and no page.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { generatedBy } from '#bench/generated-by.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { RealPm2 } from '../pm2/real-pm2.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { countLines, LINES } from './log-lines.js';
import { installOtelStack, otelSetup } from './otel-stack.js';

const app = fileURLToPath(new URL('log-app.js', import.meta.url));

/** Without news after the end: longer than a shipper takes that has to start. */
const SILENCE_MS = 5000;
/** From its start to its end. */
const LIFE_MS = 60_000;

const contestants: Record<string, string> = {
  forktrace: '`forktrace/pino`',
  file: 'pino to a file',
  'file, sync': 'pino to a file, `sync: true`',
  transport: 'pino with a transport, `pino/file`',
  pm2: "`console.log` into pm2's own logs",
  otel: "OpenTelemetry's BatchLogRecordProcessor",
};

const ends: Record<string, string> = {
  empty: 'the event loop runs empty',
  SIGTERM: 'SIGTERM',
  exit: '`process.exit(0)`',
  throw: 'uncaught exception',
  reject: 'unhandled rejection',
  abort: '`process.abort()`',
  oom: 'heap out of memory',
  SIGKILL: 'SIGKILL',
};

type Cleanup = { after(fn: () => unknown): void };

/** How many of the lines arrived; undefined where the process does not end so. */
async function measure(contestant: string, end: string): Promise<number | undefined> {
  // Its channel to pm2 keeps it, and pm2 takes an unhandled rejection for no end.
  if (contestant === 'pm2' && (end === 'empty' || end === 'reject')) return undefined;
  const cleanups: (() => unknown)[] = [];
  const t: Cleanup = { after: (fn) => cleanups.push(fn) };
  try {
    const arrived = contestant === 'pm2' ? await underPm2(t, end) : await alone(t, contestant, end);
    let count = -1;
    let since = performance.now();
    for (;;) {
      const now = arrived();
      if (now !== count) since = performance.now();
      count = now;
      if (count === LINES || performance.now() - since > SILENCE_MS) return count;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

const linesOf = (file: string) => (existsSync(file) ? countLines([readFileSync(file, 'utf8')]) : 0);

/** Runs it to its end. @returns how many lines have arrived by now */
async function alone(t: Cleanup, contestant: string, end: string): Promise<() => number> {
  const dir = await tempDir(t);
  const endpoint = await OtlpEndpoint.start(t);
  const file = join(dir, 'lines');
  const program = runProgram(t, app, {
    args: [contestant, end, file, otelSetup],
    execArgv: ['--max-old-space-size=64', ...(contestant === 'forktrace' ? ['--import', 'forktrace/register'] : [])],
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_METRICS_EXPORTER: 'none',
      FORKTRACE_JOURNAL_DIR: join(dir, 'journal'),
    },
  });
  await waitFor(() => program.exit !== undefined, `the end of ${contestant}`, LIFE_MS);
  const isFile = contestant !== 'forktrace' && contestant !== 'otel';
  return () => (isFile ? linesOf(file) : countLines(endpoint.logs.map(({ body }) => String(body))));
}

async function underPm2(t: Cleanup, end: string): Promise<() => number> {
  const pm2 = await RealPm2.start(t);
  const entry = { name: 'app', script: app, args: ['pm2', end], instances: 1, exec_mode: 'cluster' };
  await pm2.startEcosystem({ apps: [{ ...entry, autorestart: false, node_args: ['--max-old-space-size=64'] }] });
  await waitFor(() => /exited with code/.test(pm2.daemonLog()), 'the end under pm2', LIFE_MS);
  const dir = join(pm2.home, 'logs');
  return () => countLines(readdirSync(dir).map((name) => readFileSync(join(dir, name), 'utf8')));
}

installOtelStack();
const words = process.argv.slice(2);
const table: string[][] = [];
let isShort = false;
for (const [end, name] of Object.entries(ends)) {
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
  const counts = await Promise.all(Object.keys(contestants).map((contestant) => measure(contestant, end)));
  isShort ||= counts[0] !== LINES;
  table.push([name, ...counts.map((count) => String(count ?? '–'))]);
  console.error(table.at(-1)!.join(' | '));
}
const head = ['', ...Object.values(contestants)];
const terminal = new Table({ head, style: { head: [], border: [] } });
terminal.push(...table);
console.log(terminal.toString());
if (words.length === 0) writePage();
process.exit(isShort ? 1 : 0);

function writePage(): void {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  writeFileSync(
    fileURLToPath(new URL('../../docs/loss-matrix-logs.md', import.meta.url)),
    `# What is lost of logs when

${generatedBy('npm run loss-matrix:logs')}

Each process runs for a second, logs ${LINES} lines, and ends in the next statement. Only the exception is thrown one turn of the event loop later.
A cell says how many of the ${LINES} lines arrived.

- \`forktrace/pino\`: pino with that destination, under \`--import forktrace/register\`. Counted at a real OTLP/gRPC endpoint.
- *pino to a file*: \`pino.destination(file)\`; the same with \`sync: true\`, which waits for the file system at each line; and the transport
  \`pino/file\`, which writes in a worker thread. Counted in the file.
- *pm2*: one process in cluster mode. Counted in pm2's log files. –: this does not end a process under pm2.
- *OpenTelemetry*: \`sdk-node\` with \`OTEL_LOGS_EXPORTER=otlp\`, the logs API, and the shutdown at SIGTERM of its "Getting started". Counted
  at the same endpoint.

A line in a file stays on the machine of its process and belongs to no trace. A record at the endpoint has left the machine and has the ids of
its trace.

${line(head)}
${line(head.map(() => '---'))}
${table.map(line).join('\n')}
`,
  );
}
