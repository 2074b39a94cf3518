import assert from 'node:assert/strict';
import { pbkdf2 } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SPARE } from '#src/journal/format.js';
import { openJournal } from '#src/journal/journal.js';
import { makeRoom, removeLeftoversOf } from '#src/journal/journal-directory.js';
import { listJournal } from '#src/journal/list-journal.js';
import { isUnsound } from '#src/journal/open-file.js';
import { openSegment, type SegmentReader } from '#src/journal/segment-reader.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { readBack } from './read-back.js';
import { scopeBytes, spanBytes } from './span-bytes.js';

const scope = scopeBytes('test');

/** A journal of small segments, appended to by whole segments. */
async function setUp(t: TestContext, mode: 'mmap' | 'write' = 'mmap') {
  const dir = join(await tempDir(t), 'service');
  const journal = openJournal({ dir, resource: Buffer.alloc(0), mode, segmentBytes: 16 * 1024 });
  t.after(() => journal.close());
  let id = 0;
  return {
    dir,
    journal,
    /** Fills segments until so many more have been opened; the next one is prepared then. */
    async fill(segments: number): Promise<number[]> {
      const ids: number[] = [];
      for (const until = journal.stats().segments + segments; journal.stats().segments < until; ) {
        const bytes = spanBytes(++id, 'span', 200);
        journal.append(scope, bytes, 0, bytes.length);
        ids.push(id);
        await turn();
      }
      return ids;
    },
  };
}

function sealed(dir: string): SegmentReader[] {
  const readers: SegmentReader[] = [];
  for (const file of listJournal(dir)) {
    if (file.kind !== 'segment') continue;
    const reader = openSegment(file);
    assert.ok(!isUnsound(reader));
    if (reader.state().sealed) readers.push(reader);
    else reader.close();
  }
  return readers;
}

/** Does with a sealed segment what the shipper does. */
function ship(reader: SegmentReader): boolean {
  reader.storeShipped(reader.state().committed);
  const given = reader.giveBack();
  if (!given) reader.remove();
  reader.close();
  return given;
}

const spares = (dir: string) => readdirSync(dir).filter((name) => name.endsWith(SPARE));
const inodes = (dir: string) => listJournal(dir).map(({ path }) => statSync(path).ino);
const ids = (dir: string) =>
  readBack(dir)
    .ended.map(({ id }) => id)
    .sort((a, b) => a - b);

test('a segment that has been shipped is filled again, under a new name and with nothing of what it held', async (t) => {
  const { dir, journal, fill } = await setUp(t);
  await fill(1);
  const [first] = sealed(dir);
  const { ino } = statSync(first!.path);
  const { sequence } = first!.header;
  assert.equal(ship(first!), true);
  assert.deepEqual(spares(dir).length, 1);
  assert.ok(!inodes(dir).includes(ino), 'no reader sees it');

  await fill(3);
  const again = listJournal(dir).find(({ path }) => statSync(path).ino === ino);
  assert.ok(again && again.sequence > sequence);
  assert.deepEqual(spares(dir), []);
  journal.close();
  const found = readBack(dir);
  assert.deepEqual(found.unsound, []);
  assert.equal(new Set(ids(dir)).size, found.ended.length);
  assert.equal(found.ended.length + countOfFirst(found.ended), journal.stats().spans);
  assert.equal(journal.stats().lost.total, 0);
});

/** The ids that were shipped: all below the first one that is left. */
const countOfFirst = (ended: { id: number }[]) => Math.min(...ended.map(({ id }) => id)) - 1;

test('full load makes no new files once the shipper keeps up', async (t) => {
  const { dir, fill } = await setUp(t);
  for (let round = 0; round < 3; round++) {
    await fill(1);
    sealed(dir).forEach(ship);
  }
  const before = new Set([...inodes(dir), ...spares(dir).map((name) => statSync(join(dir, name)).ino)]);
  for (let round = 0; round < 20; round++) {
    await fill(1);
    sealed(dir).forEach(ship);
  }
  const after = [...inodes(dir), ...spares(dir).map((name) => statSync(join(dir, name)).ino)];
  assert.deepEqual(
    after.filter((ino) => !before.has(ino)),
    [],
  );
});

test('what the shipper has not given back is not touched, and only some of it stays mapped', async (t) => {
  const { dir, journal, fill } = await setUp(t);
  const all: number[] = [];
  for (let segment = 0; segment < 20; segment++) all.push(...(await fill(1)));
  const readers = sealed(dir);
  assert.equal(readers.length, 20);
  for (const reader of readers) reader.close();
  journal.close();
  assert.deepEqual(ids(dir), all);
  // A closed writer wants none back.
  assert.deepEqual(new Set(sealed(dir).map(ship)), new Set([false]));
  // The one that was being prepared is discarded when the system has reserved its space.
  await waitFor(() => readdirSync(dir).length === 0, 'an empty directory');
});

test('a writer that closes while the shipper gives a segment back leaves no spare file', async (t) => {
  const { dir, journal, fill } = await setUp(t);
  await fill(2);
  const [first, second] = sealed(dir);
  ship(first!);
  assert.equal(spares(dir).length, 1);
  journal.close();
  assert.deepEqual(spares(dir), []);
  ship(second!);
  assert.deepEqual(spares(dir), []);
});

test('a shipper that comes back after another one has given the segment back stores nothing into it', async (t) => {
  const { dir, fill } = await setUp(t);
  await fill(1);
  const [suspended] = sealed(dir);
  const [other] = sealed(dir);
  t.after(() => suspended!.close());
  ship(other!);
  await fill(2);
  assert.equal(suspended!.isRefilled(), true);
  suspended!.storeShipped(100);
  assert.equal(suspended!.state().shipped, 0);
  const files = readdirSync(dir);
  suspended!.giveBack();
  assert.deepEqual(readdirSync(dir), files);
});

test('spare files go first when the directory is full, and the writer makes new ones', async (t) => {
  const { dir, journal, fill } = await setUp(t);
  await fill(2);
  const [first] = sealed(dir);
  ship(first!);
  const dropped = makeRoom(dir, 0, 1);
  assert.equal(dropped.segments, 1, 'the other sealed one');
  assert.deepEqual(spares(dir), []);
  const more = await fill(3);
  journal.close();
  assert.deepEqual(ids(dir).slice(-more.length), more);
  assert.equal(journal.stats().lost.total, 0);
});

test('a directory that is removed with its spare files is made again', async (t) => {
  const { dir, journal, fill } = await setUp(t);
  await fill(1);
  sealed(dir).forEach(ship);
  rmSync(dir, { recursive: true });
  await fill(4);
  assert.ok(existsSync(dir));
  assert.ok(ids(dir).length > 0);
  journal.close();
  assert.deepEqual(spares(dir), []);
});

test('spare files of a dead writer are left over, as what it was making is', async (t) => {
  const { dir, fill } = await setUp(t);
  await fill(1);
  sealed(dir).forEach(ship);
  const { writerId } = listJournal(dir)[0]!;
  removeLeftoversOf(dir, '0'.repeat(32));
  assert.equal(spares(dir).length, 1);
  removeLeftoversOf(dir, writerId);
  assert.deepEqual(spares(dir), []);
});

test('write: a segment is not asked back, as nothing of it is mapped', async (t) => {
  const { dir, journal, fill } = await setUp(t, 'write');
  await fill(1);
  journal.flush();
  assert.deepEqual(new Set(sealed(dir).map(ship)), new Set([false]));
});

test('what a burst needed is given back to the system, one file per renewal of the lease', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { dir, fill } = await setUp(t);
  await fill(4);
  sealed(dir).forEach(ship);
  const count = spares(dir).length;
  assert.ok(count >= 3);
  for (let renewal = 1; renewal < count; renewal++) {
    t.mock.timers.tick(5000);
    assert.equal(spares(dir).length, count - renewal);
  }
  t.mock.timers.tick(5000);
  assert.equal(spares(dir).length, 1, 'the next segment needs one');
});

const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
const isGlibc = header.glibcVersionRuntime !== undefined;

test('what C and C++ code has freed goes back to the system at the first, second, fourth, … renewal of the lease', {
  skip: isGlibc ? false : 'needs glibc, which keeps it',
}, async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  await setUp(t);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const megabytes = () => process.memoryUsage.rss() / 2 ** 20;
  /** Frees 32 MiB below something that stays, so that glibc keeps them. */
  const free = async () => {
    const kept = process.memoryUsage().arrayBuffers;
    const blocks = Array.from({ length: 512 }, () => Buffer.allocUnsafeSlow(64 * 1024).fill(1));
    const last = Buffer.allocUnsafeSlow(64 * 1024);
    const before = megabytes();
    blocks.length = 0;
    collect();
    // In a thread of V8's.
    await waitFor(() => process.memoryUsage().arrayBuffers < kept + 16 * 2 ** 20, 'freed');
    return { last, before };
  };
  for (const renewals of [1, 1, 2]) {
    const { last, before } = await free();
    for (let n = 1; n <= renewals; n++) {
      assert.ok(megabytes() > before - 20, 'it is kept');
      t.mock.timers.tick(5000);
    }
    await waitFor(() => megabytes() < before - 20, 'given back');
    assert.ok(last.length > 0);
  }
  const large = Buffer.alloc(128 * 2 ** 20, 1);
  const { last, before } = await free();
  t.mock.timers.tick(4 * 5000);
  // As long as it takes in a thread of the same pool.
  await promisify(pbkdf2)('', '', 200_000, 64, 'sha512');
  assert.ok(megabytes() > before - 20, 'malloc would wait in a process with much memory');
  assert.ok(last.length + large.length > 0);
});
