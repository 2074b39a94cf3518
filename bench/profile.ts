/**
 * `npm run bench:profile -- <contestant> [app]`: a CPU profile of one server under load, and its functions by
 * self time.
 *
 *   npm run bench:profile -- forktrace-journal-mmap hello
 *
 * Writes `<contestant>-<app>.cpuprofile` to bench/results/, for Chrome's or VS Code's profile view, and the
 * functions as `profile-<contestant>-<app>.json`.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { apps, Contestant, OTHER_CORE } from './contestant.js';
import { Load } from './load.js';
import { benchRoot } from './processes.js';
import { renderTable, saveResults } from './report.js';

/** Lines and columns from 0. */
interface CallFrame {
  functionName: string;
  url: string;
  lineNumber: number;
  columnNumber: number;
}

interface Profile {
  nodes: { id: number; callFrame: CallFrame }[];
  samples: number[];
  timeDeltas: number[];
}

const program = new Command('bench:profile')
  .argument('[contestant]', 'as in bench:http', 'forktrace-journal-mmap')
  .argument('[app]', 'as in bench:http', 'hello')
  .option('--requests <n>', 'requests', Number, 300_000)
  .option('--top <n>', 'functions to print', Number, 40)
  .option('--node <path>', 'the Node.js that the server runs on')
  .parse();
const [contestant, app] = program.processedArgs as [string, string];
const { requests, top, node } = program.opts();

/** Until the shipper must be there, in milliseconds. */
const SHIPPER_MS = 20_000;

const dir = mkdtempSync(join(tmpdir(), 'forktrace-profile-'));
const one = new Contestant(contestant);
await one.start(app, {
  nodePath: node,
  execArgv: ['--cpu-prof', `--cpu-prof-dir=${dir}`, '--cpu-prof-interval=200'],
});
const load = new Load(OTHER_CORE);
await load.connect({ port: one.port, path: apps[app]!.path, connections: 32 });
// It comes with the first spans. One that is not moved and put first would wait for its core until the end.
const until = performance.now() + SHIPPER_MS;
while (contestant.startsWith('forktrace-journal') && one.shipper() === undefined && performance.now() < until)
  await sleep(50);
await load.flatOut(requests);
// A process that a signal ends writes no profile.
one.server.tell('exit');
await new Promise((resolve) => one.server.child.once('exit', resolve));
await load.stop();
await one.stop();

const file = readdirSync(dir).find((name) => name.endsWith('.cpuprofile'));
if (!file) throw new Error('the server wrote no profile');
const profile: Profile = JSON.parse(readFileSync(join(dir, file), 'utf8'));
mkdirSync(join(benchRoot, 'results'), { recursive: true });
renameSync(join(dir, file), join(benchRoot, 'results', `${contestant}-${app}.cpuprofile`));
rmSync(dir, { recursive: true, force: true });

const maps = new Map<string, SourceMap | undefined>();

/** What a file was made from, by its source map. */
function sourceMapOf(url: string): SourceMap | undefined {
  if (!maps.has(url)) {
    const map = url.startsWith('file:') ? `${fileURLToPath(url)}.map` : undefined;
    maps.set(url, map && existsSync(map) ? new SourceMap(JSON.parse(readFileSync(map, 'utf8'))) : undefined);
  }
  return maps.get(url);
}

/** File and line of a function, in the source where there is a map of it: bundles are one file for many. */
function placeOf({ url, lineNumber, columnNumber }: CallFrame): string {
  const entry = sourceMapOf(url)?.findEntry(lineNumber, columnNumber);
  const found = entry !== undefined && 'originalSource' in entry ? entry : undefined;
  const [file, line] = found ? [found.originalSource, found.originalLine] : [url, lineNumber];
  return `${file.replace(/^.*\/(node_modules|dist|bench|src)\//, '$1/')}:${line + 1}`;
}

const nodes = new Map(profile.nodes.map((one) => [one.id, one.callFrame]));
const selfMicros = new Map<string, number>();
let total = 0;
for (const [index, id] of profile.samples.entries()) {
  const frame = nodes.get(id)!;
  if (['(idle)', '(program)'].includes(frame.functionName)) continue;
  const name = `${frame.functionName || '(anonymous)'}  ${placeOf(frame)}`;
  selfMicros.set(name, (selfMicros.get(name) ?? 0) + profile.timeDeltas[index]!);
  total += profile.timeDeltas[index]!;
}
const perRequest = [...selfMicros]
  .map(([name, micros]) => ({ name, micros: micros / requests }))
  .sort((a, b) => b.micros - a.micros);
console.log(
  renderTable(
    ['function', 'µs/request', '%'],
    perRequest
      .slice(0, top)
      .map(({ name, micros }) => [name, micros.toFixed(2), (((micros * requests) / total) * 100).toFixed(1)]),
  ),
);
console.log(`${(total / requests).toFixed(2)} µs a request in JavaScript and the calls it makes`);
const version = execFileSync(node ?? process.execPath, ['--version'], { encoding: 'utf8' }).trim();
saveResults(`profile-${contestant}-${app}`, {
  node: version,
  requests,
  microsPerRequest: total / requests,
  functions: perRequest.filter(({ micros }) => micros >= 0.005),
});
