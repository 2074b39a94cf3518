import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspectAsJson, inspectAsTree, inspectJournal } from '#src/cli/inspect.js';
import { encodeResource, encodeScopeFields } from '#src/journal/encoder.js';
import { openJournal } from '#src/journal/journal.js';
import { listJournal } from '#src/journal/list-journal.js';
import { encode } from '#src/wire/encode.js';
import { LogRecord } from '#src/wire/otlp.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

test('the journal of a dead writer can be read, in flight included, file by file or whole', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  const program = runProgram(t, fixture('journal-writer'), { args: [dir, 'mmap', 'abort'] });
  await program.waitForExit();

  const lines = [...inspectAsJson(dir)].map((line) => JSON.parse(line));
  assert.equal(lines.length, 101);
  assert.equal(lines.filter((line) => line.inFlight).length, 1);
  assert.equal(lines[0].scope.name, 'fixture');
  assert.deepEqual({ ...lines[0].writer, id: undefined }, { id: undefined, pid: program.pid, slot: 3 });
  assert.match(lines[0].span.spanId, /^[0-9a-f]{16}$/);

  const files = listJournal(dir);
  assert.equal(files.flatMap((file) => [...inspectJournal(file.path)]).length, 101);
  assert.match([...inspectAsTree(dir)].join(''), /slot 3/);
});

test('log records of a journal are there, after its spans and in order of time; what is not sound of them is said', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  const journal = openJournal({ dir, resource: encodeResource({ 'service.name': 'shop' }) });
  const scope = encodeScopeFields({ name: 'app' });
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  for (const n of [2, 1]) {
    const record = { timeUnixNano: `180000000000${n}000000`, severityNumber: 17, traceId };
    const fields = encode({ ...record, body: { stringValue: `line ${n}\u001b[31m` } }, LogRecord);
    journal.appendLog(scope, fields, 0, fields.length);
  }
  journal.close();
  const lines = [...inspectAsJson(dir)].map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ logRecord, scope, shipped }) => [logRecord.body.stringValue, logRecord.traceId, scope.name, shipped]),
    [
      ['line 2\u001b[31m', traceId, 'app', false],
      ['line 1\u001b[31m', traceId, 'app', false],
    ],
  );
  const text = [...inspectAsTree(dir)].join('');
  assert.match(text, new RegExp(`^.* ERROR shop pid \\d+  line 1 \\[31m  trace ${traceId}\\n.*line 2 .*\\n$`));
  const [file] = listJournal(dir);
  assert.equal([...inspectJournal(file!.path)].length, 2, 'by file');
  truncateSync(file!.path, 4096);
  assert.deepEqual(
    [...inspectJournal(dir)].map((item) => 'unsound' in item && item.unsound),
    ['truncated'],
  );
});

test('what is not sound is said in its place', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  const program = runProgram(t, fixture('journal-writer'), { args: [dir, 'mmap', 'abort'] });
  await program.waitForExit();
  const [first, ...others] = listJournal(dir);
  truncateSync(first!.path, 5000);
  writeFileSync(join(dir, others[0]!.name), 'something else');
  const found = [...inspectJournal(dir)];
  const unsound = found.flatMap((item) => ('unsound' in item ? [item.unsound] : []));
  assert.ok(unsound.includes('truncated'));
  assert.match([...inspectAsTree(dir)].join(''), /: truncated/);
  assert.deepEqual(
    [...inspectJournal(join(dir, 'no-such-file'))].map((item) => 'unsound' in item && item.unsound),
    ['foreign'],
  );
});
