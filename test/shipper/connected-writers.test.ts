import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { listJournal } from '#src/journal/list-journal.js';
import { ConnectedWriters } from '#src/shipper/connected-writers.js';
import { receiveDestinations, sendDestination } from '#src/shipper/destination-messages.js';
import { ShipperLock } from '#src/shipper/lock.js';
import { Shipper } from '#src/shipper/shipper.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { journalScene, PLAIN_EXPORT } from './journal-scene.js';

/** Longer than any test here waits. */
const NEVER_MS = 60_000;
/** Between two looks of a shipper whose writers are all connected, and whether they live. */
const LOOK_MS = 1000;
/** Likewise, where they say when they have written. */
const ASLEEP_MS = 5000;
const LIVENESS_MS = 5000;
/** A timer may be early. */
const EARLY_MS = 5;

test('a writer is connected as long as one of its connections is there', () => {
  const heard: unknown[][] = [];
  const writers = new ConnectedWriters((...news) => heard.push(news));
  const has = () => [writers.has('a'), writers.has('b')];
  writers.opened();
  writers.named('a');
  writers.named('a');
  writers.named('b');
  assert.deepEqual(has(), [true, true]);
  writers.closed(undefined);
  writers.closed('a');
  assert.deepEqual(has(), [true, true]);
  writers.closed('a');
  // Never named.
  writers.closed('c');
  assert.deepEqual(has(), [false, true]);
  assert.deepEqual(heard, [[false], [true, undefined], [true, 'a'], [true, 'a'], [true, 'c']]);
});

test('writers are told that the shipper sleeps if all of them wake it, each once until it has written', () => {
  const told: string[] = [];
  let woken = 0;
  const writers = new ConnectedWriters(
    () => {},
    () => woken++,
  );
  const wakes = (id: string) => writers.named(id, () => told.push(id));
  wakes('a');
  writers.named('b');
  assert.equal(writers.tellAsleep(['a', 'b']), false);
  assert.deepEqual(told, []);
  wakes('b');
  for (let nth = 1; nth <= 2; nth++) assert.equal(writers.tellAsleep(['a', 'b']), true);
  assert.deepEqual(told, ['a', 'b']);
  writers.written('b');
  assert.equal(woken, 1);
  assert.equal(writers.tellAsleep(['a', 'b']), true);
  assert.deepEqual(told, ['a', 'b', 'b']);
  writers.closed('a');
  assert.equal(writers.tellAsleep(['a', 'b']), false);
});

/** A shipper that counts its looks, and a writer in another process that is known to it as connected. */
async function scene(t: TestContext, gatherMs: number) {
  const endpoint = await OtlpEndpoint.start(t);
  const { dir, open } = await journalScene(t);
  const writer = runProgram(t, fixture('span-writer'), { args: [dir, 'mmap', '10', 'w', '2', 'wait'] });
  await writer.waitForOutput(/written/);
  const { writerId } = listJournal(dir)[0]!;
  const shipper = new Shipper({
    dir,
    lock: ShipperLock.acquire(dir)!,
    export: { ...PLAIN_EXPORT, url: endpoint.grpcUrl, gatherMs },
    maxBytes: 2 ** 30,
  });
  const looks: number[] = [];
  shipper.connections.named(writerId);
  const done = shipper.run(() => looks.push(performance.now()));
  t.after(async () => {
    shipper.stop(0);
    await done;
  });
  /** When the first of `count` looks from now on was, and the last. */
  const nextLooks = async (count: number) => {
    const first = looks.length;
    await waitFor(() => looks.length >= first + count, `${count} looks`);
    return { first: looks[first]!, last: looks[first + count - 1]! };
  };
  return { endpoint, open, writer, writerId, shipper, looks, nextLooks };
}

test('a shipper looks once a second while all writers are connected, at once when one comes, and twice without', async (t) => {
  const { open, writerId, shipper, nextLooks } = await scene(t, NEVER_MS);
  await nextLooks(1);
  const slow = await nextLooks(3);
  assert.ok(slow.last - slow.first >= 2 * (LOOK_MS - EARLY_MS), `${slow.last - slow.first} ms for two looks`);
  // On a busy machine one look may be late, not all of them.
  const isSoon = (ms: number) => ms < LOOK_MS - 100;
  await waitFor(async () => {
    const from = performance.now();
    shipper.connections.opened();
    return isSoon((await nextLooks(1)).last - from);
  }, 'a look soon after somebody has come');
  // Another writer, which is not connected.
  open();
  await nextLooks(2);
  await waitFor(async () => {
    const { first, last } = await nextLooks(2);
    return isSoon(last - first);
  }, 'two looks a second');
  shipper.connections.closed(writerId);
});

test('a shipper with nothing to ship looks seldom while all writers say when they have written, and at once then', async (t) => {
  const { endpoint, writerId, shipper, nextLooks } = await scene(t, 0);
  await endpoint.waitForSpans(10);
  let told = 0;
  shipper.connections.named(writerId, () => told++);
  await waitFor(() => told === 1, 'the shipper says that it sleeps');
  const slow = await nextLooks(2);
  assert.ok(slow.last - slow.first >= ASLEEP_MS - EARLY_MS, `${slow.last - slow.first} ms between two looks`);
  assert.equal(told, 1);
  const from = performance.now();
  shipper.connections.written(writerId);
  const { first } = await nextLooks(1);
  assert.ok(first - from < ASLEEP_MS - LOOK_MS, `${first - from} ms`);
  await waitFor(() => told === 2, 'it says so again');
});

test('a shipper whose endpoint is away looks when it tries again, and when a writer that has nothing waiting has written', async (t) => {
  const { endpoint, open, writerId, shipper, looks } = await scene(t, 0);
  await endpoint.stop();
  const other = open();
  const told: string[] = [];
  for (const id of [writerId, other.writerId]) shipper.connections.named(id, () => told.push(id));
  await waitFor(() => told.includes(other.writerId), 'the one that has nothing waiting is told');
  assert.ok(!told.includes(writerId), 'what the other one has waits anyway');
  // One look when it tries, and one when that has failed.
  const isSeldom = () => looks.some((at, nth) => nth > 0 && at - looks[nth - 1]! > 1.5 * LOOK_MS);
  await waitFor(isSeldom, 'two looks that are further apart');
  await endpoint.restart();
  await endpoint.waitForSpans(10);
});

test('over the socket: what a writer has written wakes a shipper that has said that it sleeps, once', async (t) => {
  const dir = await tempDir(t);
  chmodSync(dir, 0o700);
  const id = 'a'.repeat(32);
  let sayAsleep: (() => void) | undefined;
  let written = 0;
  t.after(
    receiveDestinations(dir, () => {}, {
      opened() {},
      named(_, say) {
        sayAsleep = say;
      },
      written: (writerId) => (written += Number(writerId === id)),
      closed() {},
    }),
  );
  let asked = 0;
  let isBehind = false;
  const say = sendDestination(dir, PLAIN_EXPORT, id, () => {
    asked++;
    return isBehind;
  });
  t.after(() => say(undefined));
  await waitFor(() => sayAsleep !== undefined, 'the writer says that it wakes');
  assert.equal(asked, 0, 'nobody has asked yet');
  sayAsleep!();
  await waitFor(() => asked > 1, 'two looks at what is unshipped');
  assert.equal(written, 0);
  isBehind = true;
  await waitFor(() => written === 1, 'the word that something has been written');
  const before = asked;
  sayAsleep!();
  await waitFor(() => written === 2, 'and once more');
  assert.equal(asked, before + 1, 'only one who sleeps is woken');
});

test('the end of a connection tells that of a process; one that nothing tells is found all the same', async (t) => {
  await Promise.all(
    [true, false].map(async (isTold) => {
      const { endpoint, writer, writerId, shipper, nextLooks } = await scene(t, NEVER_MS);
      await nextLooks(1);
      writer.kill('SIGKILL');
      await writer.waitForExit();
      const from = performance.now();
      if (isTold) shipper.connections.closed(writerId);
      await endpoint.waitForSpans(12);
      const ms = performance.now() - from;
      if (isTold) assert.ok(ms < LIVENESS_MS - 2 * LOOK_MS, `${ms} ms`);
    }),
  );
});

test('a connection says whose it is, once, and what is no id is nobody', async (t) => {
  const dir = await tempDir(t);
  chmodSync(dir, 0o700);
  const heard: string[] = [];
  const end = receiveDestinations(dir, () => {}, {
    opened: () => heard.push('opened'),
    named: (id) => heard.push(`named ${id}`),
    written() {},
    closed: (id) => heard.push(`closed ${id}`),
  });
  t.after(end);
  const id = 'a'.repeat(32);
  for (const [said, expected] of [
    [id, ['opened', `named ${id}`, `closed ${id}`]],
    ['../../x', ['opened', 'closed undefined']],
    [undefined, ['opened', 'closed undefined']],
  ] as const) {
    heard.length = 0;
    const say = sendDestination(dir, PLAIN_EXPORT, said);
    await waitFor(
      () => heard.length >= expected.length - 1,
      () => `somebody is heard: ${heard}`,
    );
    say(undefined);
    await waitFor(
      () => heard.at(-1)?.startsWith('closed'),
      () => `the end is heard: ${heard}`,
    );
    assert.deepEqual(heard, expected);
  }
});
