/**
 * A reader that knows of the journal only what docs/journal-format.md says: places and types are taken from
 * the page's tables, and the checksum from its code.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { storeSample } from '#src/forensics/vitals-table.js';
import { crc32 } from '#src/journal/crc32.js';
import { encodeResource } from '#src/journal/encoder.js';
import { type JournalOptions, openJournal } from '#src/journal/journal.js';
import type { Memory } from '#src/wire/memory.js';
import { protocol } from '../endpoint/decode.js';
import { tempDir } from '../process/temp-dir.js';
import { endBytes, field, idOf, scopeBytes, spanBytes, startBytes } from './span-bytes.js';

const page = readFileSync(new URL('../../docs/journal-format.md', import.meta.url), 'utf8');

type Field = (bytes: Buffer, from?: number) => number;

const READ: Record<string, Field> = {
  u32: (bytes, at = 0) => bytes.readUInt32LE(at),
  i32: (bytes, at = 0) => bytes.readInt32LE(at),
  f64: (bytes, at = 0) => bytes.readDoubleLE(at),
};

/** The row of a section's table that describes a field by these words. */
function row(section: string, words: string): { offset: number; type: string } {
  const text = page.split(/^##+ /m).find((part) => part.startsWith(`${section}\n`));
  const found = text?.split('\n').filter((line) => line.startsWith('|') && line.includes(words)) ?? [];
  assert.equal(found.length, 1, `one row of ${section} with: ${words}`);
  const [, offset, type] = found[0]!.split('|').map((cell) => cell.trim());
  return { offset: Number(offset), type: type! };
}

function number(section: string, words: string): Field {
  const { offset, type } = row(section, words);
  const read = READ[type]!;
  return (bytes, from = 0) => read(bytes, from + offset);
}

const HEADER = {
  version: number('Header', 'format version'),
  length: number('Header', 'bytes of the header'),
  body: number('Header', 'bytes of the body when'),
  sequence: number('Header', 'sequence, the `n`'),
  pid: number('Header', '| pid |'),
  slot: number('Header', 'slot; '),
  created: number('Header', 'creation time'),
  entryBytes: number('Header', 'bytes of one entry'),
  resource: number('Header', 'bytes of the resource'),
  schemaUrl: number('Header', 'bytes of the schema URL'),
  crc: number('Header', 'CRC-32'),
  committed: number('Header', '**committed**'),
  sealed: number('Header', '**sealed**'),
  lease: number('Header', '**lease**'),
  shipped: number('Header', '**shipped**'),
  ended: number('Header', '**ended**'),
};
const ID = row('Header', '| writer id |').offset;
const RESOURCE = row('Header', 'OTLP `Resource` message').offset;

const ENTRY = {
  state: number('In-flight table', 'state: 0 free'),
  length: number('In-flight table', '| bytes of data |'),
  scope: number('In-flight table', 'that are the scope'),
  markEnd: number('In-flight table', 'mark: where the chunk'),
  markSegment: number('In-flight table', 'mark: sequence'),
};
const DATA = row('In-flight table', 'data: the scope').offset;

const EXIT = {
  state: number('Vitals page', 'state: 1 once'),
  code: number('Vitals page', 'exit code'),
  lengths: row('Vitals page', 'bytes of the four texts').offset,
  texts: row('Vitals page', 'the four texts, one').offset,
};

const checksum = new Function(`${/```js\n(function checksum[^`]*)```/.exec(page)![1]}; return checksum;`)() as (
  chunk: Buffer,
  sequence: number,
) => number;

interface Read {
  kind: string;
  bytes: Buffer;
  body: Buffer;
  committed: number;
}

function read(dir: string): Read[] {
  return readdirSync(dir).flatMap((name) => {
    const match = /^([0-9a-f]{32})-([1-9]\d*)\.(segment|logs|inflight|vitals)$/.exec(name);
    if (match === null) return [];
    const [, id, n, kind] = match;
    const bytes = readFileSync(join(dir, name));
    assert.equal(bytes.toString('hex', ID, ID + 16), id);
    assert.equal(HEADER.sequence(bytes), Number(n));
    assert.equal(HEADER.length(bytes) % 4096, 0);
    const immutable = bytes.subarray(0, row('Header', 'CRC-32').offset);
    const described = bytes.subarray(RESOURCE, RESOURCE + HEADER.resource(bytes) + HEADER.schemaUrl(bytes));
    assert.equal(crc32(Buffer.concat([immutable, described])), HEADER.crc(bytes));
    const ended = HEADER.ended(bytes);
    const committed = Math.min(HEADER.committed(bytes), ended === 0 ? Number.POSITIVE_INFINITY : ended - 1);
    return [{ kind: kind!, bytes, body: bytes.subarray(HEADER.length(bytes)), committed }];
  });
}

const isOf = (wanted: string) => (file: Read) => file.kind === wanted;

function decode({ bytes, body, committed }: Read, chunks = body.subarray(0, committed)) {
  const resource = bytes.subarray(RESOURCE, RESOURCE + HEADER.resource(bytes));
  const request = field(1, Buffer.concat([field(1, resource), chunks]));
  const [{ resource: decoded, scopeSpans }] = protocol.traces.request.decode(request).resourceSpans;
  type Scope = { scope: { name: string }; spans: { spanId: Uint8Array; name: string }[] };
  const spans = (scopeSpans as Scope[]).flatMap(({ scope, spans }) =>
    spans.map(({ spanId, name }) => ({ scope: scope.name, id: idOf(spanId), name })),
  );
  return { attributes: decoded.attributes as { key: string; value: { stringValue: string } }[], spans };
}

function inFlight(tables: Read[], segments: Read[]) {
  const open: ReturnType<typeof decode>['spans'] = [];
  for (const table of tables) {
    const { bytes, body } = table;
    for (let at = 0; at + DATA <= body.length; at += HEADER.entryBytes(bytes)) {
      if (ENTRY.state(body, at) !== 1) continue;
      const segment = segments.find((file) => HEADER.sequence(file.bytes) === ENTRY.markSegment(body, at));
      const hasMark = ENTRY.markSegment(body, at) !== 0;
      if (hasMark && (segment === undefined || ENTRY.markEnd(body, at) <= segment.committed)) continue;
      const data = body.subarray(at + DATA, at + DATA + ENTRY.length(body, at));
      const scope = ENTRY.scope(body, at);
      const content = Buffer.concat([data.subarray(0, scope), field(2, data.subarray(scope))]);
      open.push(...decode(table, field(2, content)).spans);
    }
  }
  return open;
}

const scope: Memory = scopeBytes('page');
const CASES: Partial<JournalOptions>[] = [
  { mode: 'write' },
  { mode: 'write', sync: 'interval' },
  { mode: 'auto' },
  { mode: 'auto', sync: 'interval' },
];

describe('a reader by docs/journal-format.md alone', () => {
  for (const options of CASES) {
    it(`reads a journal of ${JSON.stringify(options)}`, async (t) => {
      const dir = await tempDir(t);
      const resource = encodeResource({ 'service.name': 'shop' });
      const journal = openJournal({ dir, resource, schemaUrl: 'https://example.com/1', slot: 3, ...options });
      t.after(() => journal.close());
      const keep = (bytes: Buffer) => journal.append(scope, bytes, 0, bytes.length);
      const begin = (bytes: Buffer) => journal.begin(scope, bytes, 0, bytes.length);
      for (let id = 1; id <= 5; id++) keep(spanBytes(id, `ended ${id}`, id * 50));
      const [six] = [begin(startBytes(6, 'both')), begin(startBytes(7, 'waits'))];
      journal.finish(six!, endBytes(), 0, endBytes().length, false);
      const record = field(5, field(1, Buffer.from('hello')));
      journal.appendLog(scope, record, 0, record.length);
      const vitals = journal.vitals()!;
      vitals.set(1, 1234);
      vitals.flush();
      vitals.recordExit({ code: 7, cause: 'exit', exceptionType: 'E', message: 'gone', stack: 'at a' });
      journal.flush();

      const files = read(dir);
      const segments = files.filter(isOf('segment'));
      const { attributes, spans } = decode(segments[0]!);
      assert.deepEqual(
        attributes.map(({ key, value }) => [key, value.stringValue]),
        [['service.name', 'shop']],
      );
      const names = [1, 2, 3, 4, 5].map((id) => ({ scope: 'page', id, name: `ended ${id}` }));
      assert.deepEqual(spans, [...names, { scope: 'page', id: 6, name: 'both' }]);
      assert.deepEqual(inFlight(files.filter(isOf('inflight')), segments), [{ scope: 'page', id: 7, name: 'waits' }]);
      if (journal.mode === 'mmap') {
        // An entry that is free again still has the mark of the span that it was of.
        const [{ bytes, body }] = files.filter(isOf('inflight')) as [Read];
        const marks = [0, 1].map((entry) => entry * HEADER.entryBytes(bytes));
        const marked = marks.find((at) => ENTRY.markSegment(body, at) === 1);
        assert.ok(marked !== undefined);
        assert.equal(ENTRY.state(body, marked), 0);
        assert.equal(ENTRY.markEnd(body, marked), segments[0]!.committed - (options.sync === 'interval' ? 5 : 0));
      }

      const logs = files.find(isOf('logs'))!;
      const request = field(1, Buffer.concat([field(1, resource), logs.body.subarray(0, logs.committed)]));
      const [{ scopeLogs }] = protocol.logs.request.decode(request).resourceLogs;
      assert.equal(scopeLogs[0].logRecords[0].body.stringValue, 'hello');

      for (const { bytes } of files) {
        assert.equal(HEADER.pid(bytes), process.pid);
        assert.equal(HEADER.slot(bytes), 3);
        assert.equal(HEADER.sealed(bytes), 0);
        assert.equal(HEADER.shipped(bytes), 0);
        for (const ms of [HEADER.created(bytes), HEADER.lease(bytes)]) assert.ok(Math.abs(Date.now() - ms) < 60_000);
      }
      const page = files.find(isOf('vitals'))!;
      assert.equal(page.body.readDoubleLE(8), 1234);
      assert.deepEqual(exitOf(page.body), { state: 1, code: 7, texts: ['exit', 'E', 'gone', 'at a'] });

      const withChecksums = options.sync === 'interval';
      for (const segment of [...segments, logs]) {
        assert.equal(HEADER.version(segment.bytes), withChecksums ? 2 : 1);
        if (withChecksums) assert.ok(chunksWithChecksums(segment) > 0);
      }
    });
  }

  it('knows the numbers of a vitals page', () => {
    const numbers: number[] = [];
    const names = ['atMs', 'heapUsed', 'heapLimit', 'rss', 'external', 'cgroupUsed', 'cgroupLimit', 'utilization'];
    names.push('delayMs', 'gcMs', 'majorGcs', 'inFlight', 'served', 'spans', 'handles', 'cpuMs');
    const sample = Object.fromEntries(names.map((name, index) => [name, 100 + index])) as never;
    storeSample((index, value) => (numbers[index] = value), sample, 61);
    assert.deepEqual(numbers.slice(0, 17), [...names.keys()].map((index) => 100 + index).concat(62));
    // Place 1 of the ring: time, heap used, resident set size, utilisation, delay, collection, in flight,
    // served.
    assert.deepEqual(numbers.slice(40), [100, 101, 103, 107, 108, 109, 111, 112]);
  });
});

function exitOf(body: Buffer) {
  const exit = body.subarray(4096);
  let at = EXIT.texts;
  const texts = [0, 1, 2, 3].map((index) => {
    const length = exit.readUInt32LE(EXIT.lengths + index * 4);
    at += length;
    return exit.toString('utf8', at - length, at);
  });
  return { state: EXIT.state(exit), code: EXIT.code(exit), texts };
}

function chunksWithChecksums({ bytes, body, committed }: Read): number {
  let count = 0;
  for (let at = 0; at < committed; count++) {
    assert.equal(body[at], 0x12);
    let [length, shift, end] = [0, 0, at + 1];
    for (; ; end++, shift += 7) {
      length |= (body[end]! & 0x7f) << shift;
      if (body[end]! < 0x80) break;
    }
    end += 1 + length;
    assert.equal(body[end], 0x7d);
    assert.equal(body.readUInt32LE(end + 1), checksum(body.subarray(at, end), HEADER.sequence(bytes)));
    at = end + 5;
  }
  return count;
}
