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
  return { endpoint, open, writer, writerId, shipper, nextLooks };
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
