import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { fileName, type UnsoundReason } from '#src/journal/format.js';
import { isWriterDead, newWriterIdentity } from '#src/journal/identity.js';
import { openJournal } from '#src/journal/journal.js';
import { type JournalFile, listJournal } from '#src/journal/list-journal.js';
import { isUnsound } from '#src/journal/open-file.js';
import { openSegment } from '#src/journal/segment-reader.js';
import { openTable } from '#src/journal/table-reader.js';
import { tempDir } from '../process/temp-dir.js';
import { endBytes, scopeBytes, spanBytes, startBytes } from './span-bytes.js';

const scope = scopeBytes('hostile');

/** A segment of 20 spans and a table of 5 entries, as files and as bytes. */
async function sound(t: TestContext): Promise<{ dir: string; segment: JournalFile; table: JournalFile }> {
  const dir = join(await tempDir(t), 'service');
  const journal = openJournal({ dir, resource: Buffer.from('resource'), segmentBytes: 12 * 1024, inFlight: 16 });
  for (let id = 1; id <= 20; id++) {
    const bytes = spanBytes(id, 'span', 50);
    journal.append(scope, bytes, 0, bytes.length);
  }
  const end = endBytes();
  for (let id = 1; id <= 6; id++) {
    const bytes = startBytes(id);
    const entry = journal.begin(scope, bytes, 0, bytes.length);
    if (id === 6) journal.finish(entry, end, 0, end.length, false);
  }
  journal.close();
  const files = listJournal(dir);
  return {
    dir,
    segment: files.find((file) => file.kind === 'segment')!,
    table: files.find((file) => file.kind === 'in-flight')!,
  };
}

/** Reads all of a file as a shipper would; how many bytes of chunks there were, or why there were none. */
function readAll(file: JournalFile): number | UnsoundReason {
  if (file.kind === 'in-flight') {
    const table = openTable(file);
    if (isUnsound(table)) return table.unsound;
    const { entries } = table.entries();
    table.state();
    table.close();
    assert.equal(table.header.writer.id, file.writerId);
    return entries.length;
  }
  const segment = openSegment(file);
  if (isUnsound(segment)) return segment.unsound;
  assert.equal(segment.header.writer.id, file.writerId);
  const { committed } = segment.state();
  let total = 0;
  for (let from = 0, rounds = 0; from < committed; rounds++) {
    assert.ok(rounds < 10_000, 'reading comes to an end');
    const { bytes, next, corrupt } = segment.read(from, committed, 500);
    total += bytes.length;
    if (corrupt) break;
    assert.ok(next > from, 'reading goes on');
    from = next;
  }
  segment.countUnshipped();
  segment.close();
  return total;
}

test('files with any bits flipped, cut or replaced are read without a crash, a hang, or another identity', async (t) => {
  const { segment, table } = await sound(t);
  for (const file of [segment, table]) {
    const good = readFileSync(file.path);
    const change = fc.record({
      at: fc.oneof(fc.nat(300), fc.nat(good.length - 1), fc.constantFrom(12, 16, 20, 92, 128, 192)),
      value: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.option(fc.nat(good.length)), (changes, cut) => {
        const bytes = Buffer.from(good);
        for (const { at, value } of changes) bytes.set(value.subarray(0, bytes.length - at), at);
        writeFileSync(file.path, cut === null ? bytes : bytes.subarray(0, cut));
        readAll(file);
      }),
      { numRuns: 400 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9000 }), (bytes) => {
        writeFileSync(file.path, bytes);
        assert.equal(typeof readAll(file), 'string');
      }),
      { numRuns: 100 },
    );
  }
});

test('each way in which a file is not sound has its name', async (t) => {
  const { dir, segment, table } = await sound(t);
  const good = readFileSync(segment.path);
  const reason = (change: (bytes: Buffer) => Buffer | undefined): number | UnsoundReason => {
    const bytes = Buffer.from(good);
    writeFileSync(segment.path, change(bytes) ?? bytes);
    return readAll(segment);
  };
  const whole = readAll(segment);
  assert.ok(Number(whole) > 20 * 70);
  assert.equal(
    reason(() => Buffer.alloc(0)),
    'empty',
  );
  assert.equal(
    reason((bytes) => bytes.subarray(0, 100)),
    'truncated',
  );
  assert.equal(
    reason((bytes) => bytes.subarray(0, 4000)),
    'truncated',
  );
  assert.equal(
    reason(() => Buffer.alloc(9000, 'x')),
    'foreign',
  );
  assert.equal(
    reason((bytes) => void bytes.writeUInt32LE(3, 8)),
    'version',
  );
  for (const at of [17, 24, 40, 50, 60, 70, 258]) {
    assert.equal(
      reason((bytes) => void bytes.writeUInt8(bytes[at]! ^ 0x10, at)),
      'checksum',
      `byte ${at}`,
    );
  }
  // The committed length is beyond the file, or the file was cut: what is there is read.
  assert.equal(
    reason((bytes) => void bytes.writeUInt32LE(0xffffffff, 128)),
    whole,
  );
  assert.ok(Number(reason((bytes) => bytes.subarray(0, 4096 + 1000))) > 800);
  // A chunk that is none: what is before it is read.
  assert.equal(
    reason((bytes) => void bytes.writeUInt8(0x77, 4096)),
    0,
  );

  writeFileSync(segment.path, good);
  const other = { ...segment, sequence: 99, path: join(dir, fileName('segment', segment.writerId, 99)) };
  copyFileSync(segment.path, other.path);
  assert.equal(readAll(other), 'misnamed');
  assert.equal(readAll({ ...table, kind: 'segment' }), 'misnamed');
  assert.equal(readAll({ ...segment, path: join(dir, 'gone') }), 'gone');
});

test('links, pipes and directories in place of files are skipped', async (t) => {
  const { dir, segment } = await sound(t);
  const place = (sequence: number) => ({
    ...segment,
    sequence,
    path: join(dir, fileName('segment', segment.writerId, sequence)),
  });
  symlinkSync(segment.path, place(50).path);
  mkdirSync(place(51).path);
  execFileSync('mkfifo', [place(52).path]);
  assert.equal(readAll(place(50)), 'not-a-file');
  assert.equal(readAll(place(51)), 'not-a-file');
  assert.equal(readAll(place(52)), 'not-a-file');
  writeFileSync(join(dir, 'notes.txt'), '');
  writeFileSync(join(dir, `${'G'.repeat(32)}-1.segment`), '');
  assert.ok(listJournal(dir).every((file) => file.writerId === segment.writerId));
  // A writer in the same directory goes on, and its bound does not trip over them.
  const journal = openJournal({ dir, resource: Buffer.alloc(0), maxBytes: 4096 });
  const bytes = spanBytes(1);
  journal.append(scope, bytes, 0, bytes.length);
  journal.close();
  assert.equal(journal.stats().spans, 1);
});

test('what a shipper stores is kept, and a file that is cut while it is read ends there', async (t) => {
  const { segment } = await sound(t);
  const reader = openSegment(segment);
  assert.ok(!isUnsound(reader));
  t.after(() => reader.close());
  const { committed } = reader.state();
  const { next } = reader.read(0, committed, 4096);
  reader.storeShipped(next);
  assert.deepEqual([reader.state().shipped, reader.state().committed], [next, committed]);
  truncateSync(segment.path, 4096 + 10);
  assert.deepEqual([reader.state().committed, reader.state().cut], [10, true]);
  assert.equal(reader.read(0, committed, 4096).corrupt, true);
});

test('a segment is read into memory that is given, if that is large enough', async (t) => {
  const { segment } = await sound(t);
  const reader = openSegment(segment);
  assert.ok(!isUnsound(reader));
  t.after(() => reader.close());
  const { committed } = reader.state();
  const own = reader.read(0, committed, 4096).bytes;
  const memory = Buffer.alloc(4096);
  const given = reader.read(0, committed, 4096, memory).bytes;
  assert.equal(given.buffer, memory.buffer);
  assert.deepEqual(given, own);
  const tooSmall = Buffer.alloc(100);
  assert.deepEqual(reader.read(0, committed, 4096, tooSmall).bytes, own);
  assert.deepEqual(tooSmall, Buffer.alloc(100));
});

test('a writer is alive by its process where that can be seen, else by its lease', () => {
  const now = Date.now();
  const here = newWriterIdentity(0);
  assert.equal(isWriterDead(here, now), false);
  assert.equal(isWriterDead(here, 0), false, 'a blocked process is not dead');
  assert.equal(isWriterDead({ ...here, processStart: here.processStart + 1 }, now), true, 'its pid was used again');
  assert.equal(isWriterDead({ ...here, pid: 0x7ffffff0 }, now), true);
  // A container with the same pids, another machine or boot, a system without /proc.
  const elsewhere = [
    { ...here, pidNamespace: here.pidNamespace + 1 },
    { ...here, bootId: 'f'.repeat(32) },
    { ...here, processStart: 0 },
  ];
  for (const writer of elsewhere) {
    assert.equal(isWriterDead(writer, now - 29_000, now), false);
    assert.equal(isWriterDead(writer, now - 31_000, now), true);
    assert.equal(isWriterDead(writer, now + 3_600_000, now), true, 'a clock was set back');
    assert.equal(isWriterDead(writer, Number.NaN, now), true);
  }
});
