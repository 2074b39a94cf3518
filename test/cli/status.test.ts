import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ClusterStats, WorkerView } from 'forktrace';
import { RunningCluster, until } from '../coordinator/running-cluster.js';
import { tempDir } from '../process/temp-dir.js';
import { clusterStats, worker } from './cluster-stats.js';
import { PseudoTerminal } from './terminal.js';

const command = `'${process.execPath}' '${fileURLToPath(import.meta.resolve('#src/cli/main.js'))}'`;

/** With figures that take much room. */
const busyWorker = (slot: number, changes: Partial<WorkerView> = {}) =>
  worker({
    slot,
    pid: 1_000_000 + slot,
    uptimeMs: 90_000_000,
    address: 'http://127.0.0.1:3000',
    requestsPerSecond: 1234.5,
    stats: {
      requests: 1e9,
      inFlight: 3,
      failed: 0,
      p99Ms: 12,
      cpu: 0.5,
      utilization: 0.5,
      rss: 123_456_789,
      spansJournaled: 1e9,
      spansLost: 0,
    },
    ...changes,
  });

const stats = (workers: WorkerView[], changes: Partial<ClusterStats> = {}) =>
  clusterStats(workers, { pid: process.pid, uptimeMs: 90_000_000, ...changes });

/** A coordinator that says what the test wants, on a control socket of this process. */
async function coordinator(t: TestContext, say: () => ClusterStats): Promise<string> {
  const runDir = join(await tempDir(t), 'run');
  mkdirSync(runDir, { mode: 0o700 });
  const server = createServer((_, response) => response.end(JSON.stringify(say())));
  await new Promise<void>((resolve) => server.listen(join(runDir, `${process.pid}.sock`), resolve));
  t.after(() => server.close().closeAllConnections());
  return runDir;
}

function open(t: TestContext, runDir: string, columns = 80, rows = 24): PseudoTerminal {
  return new PseudoTerminal(t, `${command} status; echo "left with $?"`, {
    columns,
    rows,
    env: { FORKTRACE_RUN_DIR: runDir },
  });
}

async function shows(terminal: PseudoTerminal, pattern: RegExp): Promise<string[]> {
  await until(
    String(pattern),
    () => terminal.lines().some((line) => pattern.test(line)),
    () => terminal.lines().join('\n'),
  );
  return terminal.lines();
}

test('64 workers on 80 × 24: one line each, a screenful at a time, scrolled and sorted by keys; q gives the terminal back', async (t) => {
  const workers = Array.from({ length: 64 }, (_, slot) =>
    busyWorker(slot, { requestsPerSecond: slot, lastExit: { cause: 'heap_out_of_memory', atMs: 0 } }),
  );
  const runDir = await coordinator(t, () => stats(workers));
  const terminal = open(t, runDir);
  let lines = await shows(terminal, /1–\d+ of 64/);
  assert.ok(terminal.isAlternate);
  assert.match(lines[0]!, /^shop · pid \d+ · running · 64\/64 ready/);
  const head = lines.findIndex((line) => /^slot /.test(line));
  for (const column of ['slot', 'pid', 'state', 'req/s', 'err/s', 'p99', 'cpu', 'last exit']) {
    assert.ok(lines[head]!.includes(column), column);
  }
  const slots = (screen: string[]) => screen.slice(head + 1, -1).map((line) => Number(line.trim().split(/\s+/)[0]));
  assert.deepEqual(
    slots(lines),
    Array.from({ length: slots(lines).length }, (_, slot) => slot),
  );
  assert.ok(slots(lines).length >= 20, 'the whole height is used');

  terminal.type('\x1b[6~');
  lines = await shows(terminal, new RegExp(`^${slots(lines).length + 1}–`));
  terminal.type('r');
  lines = await shows(terminal, /sort by requests/);
  for (let i = 0; i < 80; i++) terminal.type('k');
  await shows(terminal, /^1–/);
  assert.equal(slots(terminal.lines())[0], 63, 'most requests first');

  terminal.type('q');
  await until('the end', () => terminal.output.includes('left with 0'));
  await until('the old screen', () => !terminal.isAlternate);
});

test('an open breaker and a blocked worker are red, at every width nothing wraps', async (t) => {
  const workers = [busyWorker(0, { state: 'blocked' }), busyWorker(1)];
  const long = 'https://traces.example.com/a/very/long/address/of/a/viewer/that/no/terminal/holds/in/one/line';
  const runDir = await coordinator(t, () => stats(workers, { breaker: 'open', viewerUrl: long }));
  for (const columns of [40, 80, 132, 200]) {
    const terminal = open(t, runDir, columns, 12);
    const lines = await shows(terminal, /CRASH LOOP: breaker open/);
    assert.equal(terminal.colorOf('CRASH LOOP'), 1);
    assert.equal(terminal.colorOf('blocked'), 1);
    const rows = lines.filter((line) => /^ *[01] +10000/.test(line));
    assert.equal(rows.length, 2, lines.join('\n'));
    terminal.type('q');
    await until('the end', () => terminal.output.includes('left with 0'));
  }
});

test('names that come over the socket cannot move the cursor', async (t) => {
  const runDir = await coordinator(t, () => stats([busyWorker(0)], { serviceName: 'evil\x1b]0;title\x07\x1b[2J' }));
  const terminal = open(t, runDir);
  await shows(terminal, /evil/);
  assert.ok(!terminal.output.includes('\x1b]0;'));
});

test('a worker whose event loop is blocked is shown as blocked within a second, and as ready again after', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  await cluster.settled('it has been heard of', ({ workers }) => workers[0]!.stats !== undefined);
  const terminal = open(t, cluster.runDir);
  await shows(terminal, /^ *0 .* ready/);
  const blocked = cluster.get('/block?ms=3000');
  const since = performance.now();
  await shows(terminal, /^ *0 .* blocked/);
  const took = performance.now() - since;
  assert.ok(took < 2000, `${took} ms; on a machine that is not busy it is less than 1,000`);
  await blocked;
  await shows(terminal, /^ *0 .* ready/);
  terminal.type('\x03');
  await until('the end', () => terminal.output.includes('left with 0'));
});
