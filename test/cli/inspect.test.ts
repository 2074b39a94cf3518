import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspectAsJson, inspectAsTree, inspectJournal } from '#src/cli/inspect.js';
import { encodeResource, encodeScopeFields } from '#src/journal/encoder.js';
import { openJournal } from '#src/journal/journal.js';
import { listJournal } from '#src/journal/list-journal.js';
import { isUnsound } from '#src/journal/open-file.js';
import { openSegment } from '#src/journal/segment-reader.js';
import { encode } from '#src/wire/encode.js';
import { LogRecord, Span } from '#src/wire/otlp.js';
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

test('a living journal: what is shipped, what is in flight, and how it looks as a tree', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  const journal = openJournal({ dir, resource: encodeResource({}) });
  t.after(() => journal.close());
  const scope = encodeScopeFields({ name: 'app' });
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const bytesOf = (n: number, fields: object) =>
    encode({ traceId, spanId: `000000000000000${n}`, name: `span ${n}`, ...fields }, Span);
  const keep = (bytes: Uint8Array) => journal.append(scope, bytes, 0, bytes.length);
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const status = { key: 'http.response.status_code', value: { intValue: '503' } };
  const times = { startTimeUnixNano: '1800000000000000000', endTimeUnixNano: '1800000000250000000' };
  keep(bytesOf(1, { ...times, attributes: [status], status: { code: 2 } }));
  const [file] = listJournal(dir).filter(({ kind }) => kind === 'segment');
  const segment = openSegment(file!);
  assert.ok(!isUnsound(segment));
  segment.storeShipped(segment.state().committed);
  segment.close();
  keep(bytesOf(2, { ...times, attributes: [text('error.type', 'worker.exit')] }));
  // Ends before it starts, as after a clock was set back, and has nothing else.
  keep(encode({ name: 'bare', startTimeUnixNano: times.endTimeUnixNano, endTimeUnixNano: '1' }, Span));
  const open = bytesOf(3, { startTimeUnixNano: times.startTimeUnixNano });
  journal.begin(scope, open, 0, open.length);
  journal.flush();

  const found = [...inspectAsJson(dir)].map((line) => JSON.parse(line));
  assert.deepEqual(found.map(({ span, shipped, inFlight }) => [span.name, shipped, inFlight]).sort(), [
    ['bare', false, false],
    ['span 1', true, false],
    ['span 2', false, false],
    ['span 3', false, true],
  ]);
  const tree = [...inspectAsTree(dir)].join('');
  assert.match(tree, new RegExp(`unknown_service pid ${String(process.pid).slice(0, 2)}`));
  assert.match(tree, /span 1.*error/);
  assert.match(tree, /span 2.*interrupted/);
  assert.match(tree, /span 3.*interrupted/);
});

test('damaged parts are said, and what is beside them is read', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  const journal = openJournal({ dir, resource: encodeResource({ 'service.name': 'shop' }), mode: 'write' });
  t.after(() => journal.close());
  const scope = encodeScopeFields({ name: 'app' });
  const named = (name: string) => encode({ traceId: 'ab'.repeat(16), spanId: '01'.repeat(8), name }, Span);
  const garbage = Uint8Array.of(0x2a, 0x7f, 1);
  for (const bytes of [named('first'), garbage, named('last')]) journal.append(scope, bytes, 0, bytes.length);
  for (const bytes of [named('open'), garbage, named('too long'), named('odd')])
    journal.begin(scope, bytes, 0, bytes.length);
  const record = encode({ observedTimeUnixNano: '1800000000000000000', body: { stringValue: 'hello' } }, LogRecord);
  for (const bytes of [record, garbage]) journal.appendLog(scope, bytes, 0, bytes.length);
  journal.flush();
  const table = listJournal(dir).find(({ kind }) => kind === 'in-flight')!;
  const bytes = readFileSync(table.path);
  const entries = [0, 1, 2, 3].map((index) => bytes.readUInt32LE(12) + index * bytes.readUInt32LE(88));
  const entryOf = (name: string) =>
    entries.find((at) => bytes.includes(name, at) && bytes.indexOf(name, at) < at + 2048)!;
  bytes.writeUInt32LE(5000, entryOf('too long') + 4);
  bytes.writeUInt32LE(7, entryOf('odd'));
  writeFileSync(table.path, bytes);

  const said = (item: object) =>
    'unsound' in item ? item.unsound : 'span' in item ? (item.span as { name: string }).name : 'a log record';
  assert.deepEqual([...inspectJournal(dir)].map(said).sort(), [
    'a log record',
    ...['corrupt', 'corrupt', 'corrupt', 'corrupt', 'corrupt'],
    'first',
    'last',
    'open',
  ]);
  const text = [...inspectAsTree(dir)].join('');
  assert.match(text, /:00:00\.000 .*shop pid \d+ {2}hello/);
  assert.match(text, /\.inflight: corrupt\n/);

  writeFileSync(join(dir, 'notes.txt'), 'no journal');
  assert.deepEqual([...inspectJournal(join(dir, 'notes.txt'))].map(said), ['foreign']);
  assert.deepEqual([...inspectJournal(join(dir, 'nothing'))].map(said), ['foreign']);
});

test('an entry whose span has ended, as its mark says, is not in flight', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  const journal = openJournal({ dir, resource: encodeResource({}), mode: 'write' });
  t.after(() => journal.close());
  const scope = encodeScopeFields({ name: 'app' });
  const open = encode({ name: 'open' }, Span);
  journal.begin(scope, open, 0, open.length);
  journal.append(scope, open, 0, open.length);
  journal.flush();
  const [segment] = listJournal(dir).filter(({ kind }) => kind === 'segment');
  const committed = readFileSync(segment!.path).readUInt32LE(128);
  const table = listJournal(dir).find(({ kind }) => kind === 'in-flight')!;
  const bytes = readFileSync(table.path);
  const at = bytes.readUInt32LE(12);
  const inFlight = (end: number, sequence: number) => {
    bytes.writeUInt32LE(end, at + 12);
    bytes.writeUInt32LE(sequence, at + 16);
    writeFileSync(table.path, bytes);
    return [...inspectJournal(table.path)].length;
  };
  assert.equal(inFlight(0, 0), 1, 'no mark');
  assert.equal(inFlight(committed, 1), 0, 'committed');
  assert.equal(inFlight(committed + 1, 1), 1, 'not committed');
  assert.equal(inFlight(committed + 1, 2), 0, 'a segment that was shipped and deleted');
});
