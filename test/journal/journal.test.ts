import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MAX_CHUNK_BYTES } from '#src/journal/chunk.js';
import { type Journal, type JournalOptions, openJournal } from '#src/journal/journal.js';
import { listJournal } from '#src/journal/list-journal.js';
import { isUnsound } from '#src/journal/open-file.js';
import { openSegment } from '#src/journal/segment-reader.js';
import { NO_ENTRY } from '#src/journal/span-log.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { readBack } from './read-back.js';
import { endBytes, field, scopeBytes, spanBytes, startBytes } from './span-bytes.js';

const scope = scopeBytes('test');
const resource = field(1, field(1, Buffer.from('service.name')));

async function open(t: TestContext, options: Partial<JournalOptions> = {}): Promise<{ journal: Journal; dir: string }> {
  const dir = options.dir ?? join(await tempDir(t), 'service');
  const journal = openJournal({ dir, resource, ...options });
  t.after(() => journal.close());
  return { journal, dir };
}

function append(journal: Journal, id: number, fill = 200): void {
  const bytes = spanBytes(id, 'span', fill);
  journal.append(scope, bytes, 0, bytes.length);
}

/**
 * Writes a span to the place where the journal keeps it.
 *
 * @returns false when there is not enough room there
 */
function keepInPlace(journal: Journal, id: number, fill: number): boolean {
  const bytes = spanBytes(id, 'span', fill);
  const room = journal.reserve(scope);
  if (room === undefined) return false;
  const fits = bytes.length <= room.end - room.start;
  // What does not fit has been written in part.
  room.memory.bytes.set(fits ? bytes : bytes.subarray(0, room.end - room.start), room.start);
  if (fits) journal.commit(room.start + bytes.length);
  return fits;
}

function begin(journal: Journal, id: number, name?: string): number {
  const bytes = startBytes(id, name);
  return journal.begin(scope, bytes, 0, bytes.length);
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function ids(spans: { id: number }[]): number[] {
  return spans.map(({ id }) => id).sort((a, b) => a - b);
}

for (const mode of ['mmap', 'write'] as const) {
  test(`${mode}: spans of many segments are all there, in order, sealed segments with their count`, async (t) => {
    const { journal, dir } = await open(t, { mode, segmentBytes: 16 * 1024 });
    for (let id = 1; id <= 1000; id++) {
      append(journal, id);
      if (id % 100 === 0) await turn();
    }
    journal.close();
    const found = readBack(dir);
    assert.deepEqual(ids(found.ended), numbers(1, 1000));
    assert.deepEqual(found.unsound, []);
    assert.equal(found.sealed, found.segments);
    assert.ok(found.segments > 10);
    assert.equal(found.ended[0]!.scope, 'test');
    let counted = 0;
    for (const file of listJournal(dir)) {
      const segment = openSegment(file);
      assert.ok(!isUnsound(segment));
      counted += segment.countUnshipped();
      assert.equal(segment.state().spans, segment.countUnshipped());
      segment.close();
    }
    assert.equal(counted, 1000);
    assert.equal(journal.stats().spans, 1000);
    assert.equal(journal.stats().lost.total, 0);
  });

  test(`${mode}: spans written in place are kept among appended ones, and one that is given up leaves nothing`, async (t) => {
    const { journal, dir } = await open(t, { mode, segmentBytes: 64 * 1024 });
    let inPlace = 0;
    // From bytes that a length of one byte would do for to more than one of two can say.
    const fills = [0, 60, 99, 100, 101, 127, 128, 129, 1000, 16_000, 16_383, 20_000];
    for (let id = 1; id <= 1200; id++) {
      const fill = fills[id % fills.length]!;
      if (keepInPlace(journal, id, fill)) inPlace++;
      else append(journal, id, fill);
      if (id % 7 === 0) keepInPlace(journal, -id, 40_000);
      if (id % 50 === 0) await turn();
    }
    const { bytes, spans, lost } = journal.stats();
    assert.deepEqual([spans, lost.total], [1200, 0]);
    assert.ok(inPlace > 800 && inPlace <= 1000, `${inPlace} in place`);
    journal.close();
    assert.equal(journal.reserve(scope), undefined);
    const found = readBack(dir);
    assert.deepEqual(ids(found.ended), numbers(1, 1200));
    assert.deepEqual(found.unsound, []);
    assert.ok(found.ended.every((span) => span.scope === 'test'));
    assert.equal(journal.stats().bytes, bytes);
  });

  test(`${mode}: the table grows, entries are used again, an ended span has the fields of its start`, async (t) => {
    const { journal, dir } = await open(t, { mode, inFlight: 16 });
    const entries = numbers(1, 100).map((id) => begin(journal, id, `name ${id}`));
    assert.equal(new Set(entries).size, 100);
    assert.equal(journal.stats().inFlight, 100);
    journal.flush();
    assert.deepEqual(ids(readBack(dir).inFlight), numbers(1, 100));
    const end = endBytes();
    for (const id of numbers(1, 90)) journal.finish(entries[id - 1]!, end, 0, end.length, false);
    journal.flush();
    const found = readBack(dir);
    assert.deepEqual(ids(found.ended), numbers(1, 90));
    assert.equal(found.ended[41]!.name, 'name 42');
    assert.equal(found.ended[41]!.scope, 'test');
    assert.deepEqual(ids(found.inFlight), numbers(91, 100));
    const files = listJournal(dir).filter((file) => file.kind === 'in-flight').length;
    for (const id of numbers(101, 150)) begin(journal, id);
    journal.flush();
    assert.equal(listJournal(dir).filter((file) => file.kind === 'in-flight').length, files);
    assert.deepEqual(ids(readBack(dir).inFlight), numbers(91, 150));
  });

  test(`${mode}: the table shrinks when a burst is over, and loses nothing of what is in flight`, async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { journal, dir } = await open(t, { mode, inFlight: 16 });
    const entries = numbers(1, 100).map((id) => begin(journal, id));
    const end = endBytes();
    const finish = (from: number, to: number) => {
      for (const entry of entries.slice(from, to)) journal.finish(entry, end, 0, end.length, false);
      journal.flush();
    };
    const tables = () => readdirSync(dir).filter((name) => name.endsWith('.inflight')).length;
    const renewLease = (times: number) => {
      for (let n = 0; n < times; n++) t.mock.timers.tick(5000);
    };
    renewLease(5);
    assert.equal(tables(), 7, 'all are in use');
    // One stays in each file: nothing can go, but what begins goes to the lowest.
    const kept = numbers(0, 6).map((file) => file * 16);
    entries.forEach((entry, n) => {
      if (!kept.includes(n)) journal.finish(entry, end, 0, end.length, false);
    });
    journal.flush();
    renewLease(5);
    assert.equal(tables(), 7);
    const late = begin(journal, 101);
    assert.ok(late < 16, `entry ${late}`);
    for (const n of kept.slice(1)) finish(n, n + 1);
    renewLease(10);
    assert.equal(tables(), 1);
    assert.deepEqual(ids(readBack(dir).inFlight), [1, 101]);
    const again = numbers(200, 240).map((id) => begin(journal, id));
    assert.equal(tables(), 3);
    assert.equal(new Set(again).size, again.length);
    journal.flush();
    assert.deepEqual(ids(readBack(dir).inFlight), [1, 101, ...numbers(200, 240)]);
    assert.deepEqual(ids(readBack(dir).ended), numbers(2, 100));
  });

  test(`${mode}: a turn that begins and ends spans in a long loop needs no more than a few entries`, async (t) => {
    const { journal, dir } = await open(t, { mode, inFlight: 512 });
    const end = endBytes(200);
    for (let id = 1; id <= 3000; id++) journal.finish(begin(journal, id), end, 0, end.length, false);
    assert.equal(listJournal(dir).filter(({ kind }) => kind === 'in-flight').length, 1);
    assert.equal(journal.stats().untracked, 0);
    journal.close();
    assert.deepEqual(ids(readBack(dir).ended), numbers(1, 3000));
  });

  test(`${mode}: a later field of an entry wins, in flight and ended`, async (t) => {
    const { journal, dir } = await open(t, { mode });
    const name = field(5, Buffer.from('renamed'));
    const [inFlight, ended, whole] = [begin(journal, 1), begin(journal, 2), begin(journal, 3)];
    for (const entry of [inFlight, ended, whole]) assert.equal(journal.amend(entry, name, 0, name.length), true);
    const end = endBytes();
    journal.finish(ended, end, 0, end.length, false);
    const all = spanBytes(3, 'written anew');
    journal.finish(whole, all, 0, all.length, true);
    journal.flush();
    const found = readBack(dir);
    assert.deepEqual(
      found.ended.map(({ id, name }) => [id, name]),
      [
        [2, 'renamed'],
        [3, 'written anew'],
      ],
    );
    assert.equal(found.inFlight[0]!.name, 'renamed');
  });

  test(`${mode}: a span whose start is encoded in its entry is in flight once it has begun, and not before`, async (t) => {
    const { journal, dir } = await open(t, { mode });
    const start = startBytes(7, 'in place');
    const room = journal.reserveEntry(scope)!;
    room.memory.bytes.set(start, room.start);
    journal.flush();
    assert.deepEqual(readBack(dir).inFlight, []);
    const entry = journal.beginReserved(room.start + start.length, performance.now());
    journal.flush();
    assert.deepEqual(
      readBack(dir).inFlight.map(({ id, name }) => [id, name]),
      [[7, 'in place']],
    );
    // One that was given up has left nothing behind.
    const given = journal.reserveEntry(scope)!;
    given.memory.bytes.fill(0xff, given.start, given.end);
    const other = begin(journal, 8);
    const end = endBytes();
    for (const one of [entry, other]) journal.finish(one, end, 0, end.length, false);
    journal.flush();
    assert.deepEqual(ids(readBack(dir).ended), [7, 8]);
  });

  test(`${mode}: fields that are written to an entry are its span's once they are given to it, and not before`, async (t) => {
    const { journal, dir } = await open(t, { mode });
    const entry = begin(journal, 7, 'begun');
    const write = (fields: Uint8Array): [Uint8Array, number, number] => {
      const room = journal.reserveMore(entry)!;
      room.memory.bytes.set(fields, room.start);
      return [room.memory.bytes, room.start, room.start + fields.length];
    };
    const named = write(field(5, Buffer.from('renamed')));
    journal.flush();
    assert.equal(readBack(dir).inFlight[0]!.name, 'begun');
    assert.equal(journal.amend(entry, ...named), true);
    journal.flush();
    assert.equal(readBack(dir).inFlight[0]!.name, 'renamed');
    journal.finish(entry, ...write(endBytes()), false);
    journal.flush();
    const { ended, inFlight } = readBack(dir);
    assert.deepEqual(
      ended.map(({ id, name }) => [id, name]),
      [[7, 'renamed']],
    );
    assert.deepEqual(inFlight, []);
  });

  test(`${mode}: an entry that is full, or whose start data it cannot hold, has no room for more`, async (t) => {
    const { journal } = await open(t, { mode });
    const full = begin(journal, 1);
    const { start, end } = journal.reserveMore(full)!;
    const most = field(3, Buffer.alloc(end - start - 20, 0x61));
    assert.equal(journal.amend(full, most, 0, most.length), true);
    assert.equal(journal.reserveMore(full), undefined);
    const long = Buffer.concat([startBytes(2, 'long'), field(3, Buffer.alloc(3000, 0x61))]);
    assert.equal(journal.reserveMore(journal.begin(scope, long, 0, long.length)), undefined);
    journal.close();
    assert.equal(journal.reserveMore(full), undefined);
  });

  test(`${mode}: start data that an entry cannot hold is cut in flight and whole when ended`, async (t) => {
    const { journal, dir } = await open(t, { mode });
    const start = Buffer.concat([startBytes(7, 'long'), field(3, Buffer.alloc(3000, 0x61))]);
    const entry = journal.begin(scope, start, 0, start.length);
    assert.notEqual(entry, NO_ENTRY);
    journal.flush();
    assert.deepEqual(ids(readBack(dir).inFlight), [7]);
    assert.equal(journal.amend(entry, start, 0, start.length), false);
    const end = endBytes();
    journal.finish(entry, end, 0, end.length, false);
    journal.flush();
    assert.deepEqual(ids(readBack(dir).ended), [7]);
    assert.ok(journal.stats().bytes > 3000);
  });

  test(`${mode}: a span larger than a segment is kept, one beyond any message is counted lost`, async (t) => {
    const { journal, dir } = await open(t, { mode, segmentBytes: 16 * 1024 });
    append(journal, 1);
    append(journal, 2, 100_000);
    append(journal, 3);
    append(journal, 4, MAX_CHUNK_BYTES);
    journal.close();
    assert.deepEqual(ids(readBack(dir).ended), [1, 2, 3]);
    assert.equal(journal.stats().lost.tooLarge, 1);
  });

  for (const way of ['removed', 'moved away'])
    test(`${mode}: a journal directory that is ${way} comes back with what was not shipped`, async (t) => {
      t.mock.timers.enable({ apis: ['setInterval'] });
      const { journal, dir } = await open(t, { mode });
      append(journal, 1);
      begin(journal, 2);
      journal.flush();
      const elsewhere = `${dir}-moved`;
      t.after(() => rmSync(elsewhere, { recursive: true, force: true }));
      if (way === 'removed') rmSync(dir, { recursive: true });
      else renameSync(dir, elsewhere);
      append(journal, 3);
      t.mock.timers.tick(5000);
      await waitFor(() => existsSync(dir) && ids(readBack(dir).inFlight).includes(2), 'the files to be back');
      await waitFor(() => readBack(dir).ended.length > 0, 'the spans to be back');
      append(journal, 4);
      journal.flush();
      assert.deepEqual(ids(readBack(dir).ended), [1, 3, 4]);
      assert.equal(journal.stats().lost.total, 0);
    });

  test(`${mode}: while no segment can be made spans are counted lost, and kept again afterwards`, async (t) => {
    const { journal, dir } = await open(t, { mode, segmentBytes: 16 * 1024 });
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    t.after(() => process.off('warning', listen));
    rmSync(dir, { recursive: true });
    writeFileSync(dir, 'not a directory');
    for (let id = 1; id <= 200; id++) append(journal, id);
    const { noSpace: lost, total } = journal.stats().lost;
    assert.ok(lost > 100);
    assert.equal(total, 200, 'those of the removed segment are lost too');
    await turn();
    const said = warnings.filter((warning) => 'code' in warning && warning.code === 'FORKTRACE_JOURNAL_LOSS');
    assert.match(said[0]!.message, /Spans lost: \d+, because .*service/);
    assert.equal(said.length, 1);
    rmSync(dir);
    await waitFor(() => {
      append(journal, 1000);
      return (
        journal.stats().lost.noSpace > lost &&
        existsSync(dir) &&
        readdirSync(dir).some((name) => name.endsWith('.segment'))
      );
    }, 'a segment');
    append(journal, 1001);
    journal.close();
    assert.ok(ids(readBack(dir).ended).includes(1001));
  });

  test(`${mode}: writers stay within maxBytes together; what they drop is counted`, async (t) => {
    const dir = join(await tempDir(t), 'service');
    const options = { dir, mode, segmentBytes: 64 * 1024, maxBytes: 1024 * 1024, inFlight: 16 };
    const [one, two] = [(await open(t, options)).journal, (await open(t, options)).journal];
    for (let id = 1; id <= 6000; id++) {
      append(id % 2 === 0 ? one : two, id);
      if (id % 50 === 0) await turn();
    }
    one.close();
    two.close();
    const left = readBack(dir);
    const dropped = one.stats().lost.dropped + two.stats().lost.dropped;
    assert.ok(dropped > 0);
    assert.equal(left.ended.length + dropped, 6000);
    const bytes = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
    assert.ok(bytes <= options.maxBytes, `${bytes} bytes`);
    assert.ok(Math.min(...ids(left.ended)) > 1, 'the oldest go first');
  });

  test(`${mode}: closing leaves no empty file, and what ends later is counted`, async (t) => {
    const { journal, dir } = await open(t, { mode });
    const entry = begin(journal, 1);
    const end = endBytes();
    journal.finish(entry, end, 0, end.length, false);
    journal.close();
    assert.deepEqual(
      readdirSync(dir).map((name) => name.slice(-8)),
      ['.segment'],
    );
    append(journal, 2);
    assert.equal(begin(journal, 3), NO_ENTRY);
    assert.equal(journal.amend(entry, end, 0, end.length), false);
    journal.finish(entry, end, 0, end.length, false);
    assert.equal(journal.stats().lost.closed, 2);
    const other = await open(t, { mode });
    other.journal.close();
    assert.deepEqual(readdirSync(other.dir), []);
  });
}

test('more spans in flight than the table can hold are counted, and said once', async (t) => {
  const { journal, dir } = await open(t, { inFlight: 16 });
  const said: Error[] = [];
  const listen = (warning: Error) => said.push(warning);
  process.on('warning', listen);
  t.after(() => process.off('warning', listen));
  const entries = numbers(1, 16 * 64 + 5).map((id) => begin(journal, id));
  assert.equal(entries.filter((entry) => entry === NO_ENTRY).length, 5);
  assert.equal(journal.stats().untracked, 5);
  await turn();
  assert.deepEqual(
    said.map((warning) => (warning as NodeJS.ErrnoException).code),
    ['FORKTRACE_IN_FLIGHT_FULL'],
  );
  assert.match(said[0]!.message, /More than 1024 requests/);
  assert.equal(readBack(dir).inFlight.length, 1024);
});

test('files are private to the user', async (t) => {
  const { journal, dir } = await open(t);
  append(journal, 1);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  for (const name of readdirSync(dir)) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600);
});

test('a directory that is not ours alone is refused, by name', async (t) => {
  const parent = await tempDir(t);
  const dir = join(parent, 'service');
  const refused = (found: RegExp) =>
    assert.throws(() => openJournal({ dir, resource }), { code: 'FORKTRACE_JOURNAL_DIR', message: found });
  writeFileSync(dir, '');
  refused(/service/);
  rmSync(dir);
  mkdirSync(join(parent, 'elsewhere'), { mode: 0o700 });
  symlinkSync(join(parent, 'elsewhere'), dir);
  refused(/a symbolic link/);
  rmSync(dir);
  mkdirSync(dir);
  chmodSync(dir, 0o755);
  refused(/mode 755/);
  chmodSync(dir, 0o700);
  chmodSync(parent, 0o777);
  refused(/mode 777/);
  chmodSync(parent, 0o700);
  openJournal({ dir, resource }).close();
});

test('rotation does not hold up the event loop', async (t) => {
  const { journal } = await open(t, { mode: 'mmap' });
  const bytes = spanBytes(1, 'span', 300);
  const turns: number[] = [];
  // 200,000 spans of 350 bytes are 67 segments of 1 MiB.
  for (let round = 0; round < 2000; round++) {
    const start = process.cpuUsage();
    for (let i = 0; i < 100; i++) journal.append(scope, bytes, 0, bytes.length);
    const used = process.cpuUsage(start);
    turns.push((used.user + used.system) / 1000);
    await turn();
  }
  assert.ok(journal.stats().segments > 10);
  // CPU time of a turn that wrote 100 spans, with page faults of two dozen pages and a rotation in the worst
  // ones. All threads count, so that a few turns have V8's own work in them: of 67 with a rotation the 20th
  // slowest is asked for.
  const slowMs = turns.sort((a, b) => b - a)[20]!;
  assert.ok(slowMs < 20, `${slowMs} ms`);
});
