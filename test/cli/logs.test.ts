import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeResource, encodeScopeFields } from '#src/journal/encoder.js';
import { type Journal, openJournal } from '#src/journal/journal.js';
import { startViewer } from '#src/viewer/start.js';
import { encode } from '#src/wire/encode.js';
import { LogRecord } from '#src/wire/otlp.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { journalScene } from '../shipper/journal-scene.js';

const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const INFO = 9;
const ERROR = 17;

let nanos = 1_800_000_000_000_000_000n;

function log(journal: Journal, body: string, severityNumber = INFO, more: object = {}): void {
  nanos += 1_000_000n;
  const record = { timeUnixNano: String(nanos), severityNumber, body: { stringValue: body }, ...more };
  const fields = encode(record, LogRecord);
  journal.appendLog(encodeScopeFields({ name: 'app' }), fields, 0, fields.length);
  journal.flush();
}

const ask = (t: Parameters<typeof runProgram>[0], ...args: string[]) => runProgram(t, cli, { args: ['logs', ...args] });

async function answer(t: Parameters<typeof runProgram>[0], ...args: string[]) {
  const program = ask(t, ...args);
  const { code } = await program.waitForExit();
  return { code, stdout: program.stdout, stderr: program.stderr };
}

test('what is in a journal, dead writers included: in order, by level, trace and filter, as text and as JSON', async (t) => {
  const scene = await journalScene(t);
  const first = scene.open();
  log(first, 'first', INFO, {
    traceId,
    spanId: '00f067aa0ba902b7',
    attributes: [{ key: 'order', value: { intValue: '17' } }],
  });
  log(first, 'second\u001b[31m forged', ERROR);
  const other = scene.open();
  log(other, 'third');
  first.close();

  const all = await answer(t, scene.dir);
  assert.equal(all.code, 0, all.stderr);
  const lines = all.stdout.trimEnd().split('\n');
  assert.equal(lines.length, 3, all.stdout);
  assert.match(
    lines[0]!,
    /^\d\d:\d\d:\d\d\.\d{3} INFO {2}shop .* first {2}order=17 {2}trace 4bf92f3577b34da6a3ce929d0e0e4736$/,
  );
  assert.match(lines[1]!, /ERROR shop .* second \[31m forged$/);
  assert.match(lines[2]!, /third$/);

  assert.match((await answer(t, scene.dir, '--level', 'warn')).stdout, /^.*second.*\n$/);
  assert.match((await answer(t, scene.dir, '--trace', traceId)).stdout, /^.*first.*\n$/);
  assert.match((await answer(t, scene.dir, '--filter', 'thi')).stdout, /^.*third\n$/);
  assert.match((await answer(t, scene.dir, '--lines', '1')).stdout, /^.*third\n$/);
  const json = (await answer(t, scene.dir, '--json')).stdout.trimEnd().split('\n');
  assert.deepEqual(
    json.map((line) => JSON.parse(line).body),
    ['first', 'second\u001b[31m forged', 'third'],
  );
  const none = await answer(t, `${scene.dir}/nothing`);
  assert.match(none.stderr, /FORKTRACE_NO_JOURNAL/);
  assert.equal(none.code, 1);
});

test('a journal with checksums, and what a coordinator has read of its workers, by their slots', async (t) => {
  const dir = await tempDir(t);
  const resource = encodeResource({ 'service.name': 'shop', 'process.pid': 7 });
  const journal = openJournal({ dir, resource, sync: 'interval' });
  t.after(() => journal.close());
  log(journal, 'of its own');
  const number = (key: string, value: number) => ({ key, value: { intValue: String(value) } });
  const attributes = [number('cluster.worker.slot', 3), number('cluster.worker.pid', 77)];
  log(journal, 'of a worker', 0, { attributes });
  assert.match((await answer(t, dir)).stdout, /shop pid 7 {2}of its own\n.* shop slot 3 {2}of a worker/);
  const { stdout } = await answer(t, dir, '--slot', '3', '--json');
  assert.deepEqual([JSON.parse(stdout).body, JSON.parse(stdout).process.pid], ['of a worker', 77]);
});

test('--follow goes on with what is logged from then on, each record once', async (t) => {
  const scene = await journalScene(t);
  const journal = scene.open();
  log(journal, 'before');
  const program = ask(t, scene.dir, '--follow');
  await waitFor(() => program.stdout.includes('before'), 'what was there');
  log(journal, 'after');
  await waitFor(() => program.stdout.includes('after'), 'what has come');
  log(journal, 'last');
  await waitFor(() => program.stdout.includes('last'), 'what has come then');
  assert.equal(program.stdout.trimEnd().split('\n').length, 3);
});

test('without a path: the viewer’s records, and what the viewer has not got', async (t) => {
  const scene = await journalScene(t);
  const viewer = await startViewer({ httpPort: 0, grpcPort: 0 });
  t.after(() => viewer.close());
  const journal = scene.open();
  log(journal, 'delivered');
  const { shipper } = scene.ship({ url: viewer.otlpGrpcUrl });
  await waitFor(() => shipper.stats().logRecords.shipped === 1, 'the delivery');
  await shipper.stop(5000);
  log(journal, 'not delivered');
  const program = runProgram(t, cli, {
    args: ['logs', '--viewer', viewer.url],
    env: { FORKTRACE_JOURNAL_DIR: scene.dir },
  });
  assert.equal((await program.waitForExit()).code, 0, program.stderr);
  assert.match(program.stdout, /^.* delivered\n.* not delivered\n$/);
});

test('without a path, a viewer or a journal it says who was asked', async (t) => {
  const program = runProgram(t, cli, {
    args: ['logs', '--viewer', 'http://127.0.0.1:9'],
    env: { FORKTRACE_JOURNAL_DIR: '/nowhere' },
  });
  assert.equal((await program.waitForExit()).code, 1);
  assert.match(program.stderr, /No viewer answers at http:\/\/127\.0\.0\.1:9: .*FORKTRACE_NO_VIEWER/s);
});
