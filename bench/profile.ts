/**
 * `npm run bench:profile -- <contestant> [app]`: a CPU profile of one server under load, and its functions by self time.
 *
 *   npm run bench:profile -- forktrace-journal-mmap hello
 *
 * Writes `<contestant>-<app>.cpuprofile` to bench/results/, for Chrome's or VS Code's profile view.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { BenchProcess, benchRoot } from './processes.js';
import { renderTable } from './report.js';

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

const program = new Command('bench:profile')
  .argument('[contestant]', 'as in bench:http', 'forktrace-journal-mmap')
  .argument('[app]', 'as in bench:http', 'hello')
  .option('--requests <n>', 'requests', Number, 100_000)
  .option('--top <n>', 'functions to print', Number, 40)
  .option('--node <path>', 'the Node.js that the server runs on')
  .parse();
const [contestant, app] = program.processedArgs as [string, string];
const { requests, top, node } = program.opts();
const paths: Record<string, string> = { express: '/items/books', fastify: '/items/books' };

const dir = mkdtempSync(join(tmpdir(), 'forktrace-profile-'));
const sink = new BenchProcess(join(benchRoot, '../dist-bench/sink.js'), [], { core: 1 });
const { port: sinkPort } = await sink.next<{ port: number }>();
const server = new BenchProcess(join(benchRoot, 'server.cjs'), [contestant, app], {
  core: 0,
  nodePath: node,
  execArgv: ['--cpu-prof', `--cpu-prof-dir=${dir}`, '--cpu-prof-interval=200'],
  env: {
    NODE_ENV: 'production',
    OTEL_SERVICE_NAME: 'bench',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sinkPort}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    FORKTRACE_JOURNAL_DIR: dir,
  },
});
const { port } = await server.next<{ port: number }>();
const load = new BenchProcess(join(benchRoot, 'load.cjs'), [], { core: 1 });
await load.ask({ port, path: paths[app] ?? '/', connections: 32, requests });
// A process that a signal ends writes no profile.
server.tell('exit');
await new Promise((resolve) => server.child.once('exit', resolve));
await load.stop('SIGKILL');
await sink.stop('SIGKILL');

const file = readdirSync(dir).find((name) => name.endsWith('.cpuprofile'));
if (!file) throw new Error('the server wrote no profile');
const profile: Profile = JSON.parse(readFileSync(join(dir, file), 'utf8'));
mkdirSync(join(benchRoot, 'results'), { recursive: true });
renameSync(join(dir, file), join(benchRoot, 'results', `${contestant}-${app}.cpuprofile`));
rmSync(dir, { recursive: true, force: true });

const nodes = new Map(profile.nodes.map((one) => [one.id, one.callFrame]));
const selfMicros = new Map<string, number>();
let total = 0;
for (const [index, id] of profile.samples.entries()) {
  const frame = nodes.get(id)!;
  if (['(idle)', '(program)'].includes(frame.functionName)) continue;
  const where = frame.url.replace(/^.*\/(node_modules|dist|bench)\//, '$1/').replace(/^node:/, 'node:');
  const name = `${frame.functionName || '(anonymous)'}  ${where}:${frame.lineNumber + 1}`;
  selfMicros.set(name, (selfMicros.get(name) ?? 0) + profile.timeDeltas[index]!);
  total += profile.timeDeltas[index]!;
}
const rows = [...selfMicros].sort(([, a], [, b]) => b - a).slice(0, top);
console.log(
  renderTable(
    ['function', 'µs/request', '%'],
    rows.map(([name, micros]) => [name, (micros / requests).toFixed(2), ((micros / total) * 100).toFixed(1)]),
  ),
);
console.log(`${(total / requests).toFixed(2)} µs a request in JavaScript and the calls it makes`);
