import assert from 'node:assert/strict';
import { existsSync, readdirSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { listJournal } from '#src/journal/list-journal.js';
import { ShipperLock } from '#src/shipper/lock.js';
import { Shipper } from '#src/shipper/shipper.js';
import { MAX_OPEN } from '#src/shipper/tail.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { mountOver, mountReadOnly } from '../journal/mounted.js';
import { fixture, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { journalScene, PLAIN_EXPORT } from './journal-scene.js';

/** Each name once. */
function assertEach(endpoint: OtlpEndpoint, count: number): void {
  const names = endpoint.received().map(({ name }) => name);
  assert.equal(new Set(names).size, count);
  assert.equal(names.length, count, 'none twice');
}

/** Ways in which a directory is not where it was, with what is in it. */
const GONE: [what: string, prepare: (t: TestContext, dir: string) => (() => void) | undefined][] = [
  ['deleted', (_, dir) => () => rmSync(dir, { recursive: true })],
  [
    'moved away',
    (t, dir) => {
      const elsewhere = `${dir}-moved`;
      t.after(() => rmSync(elsewhere, { recursive: true, force: true }));
      return () => renameSync(dir, elsewhere);
    },
  ],
  ['unmounted', mountOver],
];

for (const [what, prepare] of GONE)
  test(`a directory that is ${what} under load: what was sealed and what was not arrives, each span once`, async (t) => {
    const { dir, open, write, ship, warnings } = await journalScene(t);
    const takeAway = prepare(t, dir);
    if (takeAway === undefined) return;
    const endpoint = await OtlpEndpoint.start(t);
    // Nothing of it gets through for now, so that all of it is still to be shipped.
    endpoint.answerWith({ answer: 'unavailable' });
    const journal = open();
    const { shipper } = ship({ url: endpoint.grpcUrl });
    write(journal, 4000, 'before', 'x'.repeat(900));
    const sealed = listJournal(dir).filter(({ kind }) => kind === 'segment').length - 1;
    assert.ok(sealed >= 3);
    await waitFor(() => shipper.stats().lagBytes > 3_700_000, 'a look at all of it');
    takeAway();
    write(journal, 4000, 'after', 'x'.repeat(900));
    await waitFor(() => existsSync(dir) && listJournal(dir).length > 0, 'the directory to be back');
    endpoint.answerOk();
    // The first shipper ends with what it alone has; another one ships what is there now.
    await waitFor(() => shipper.stats().lagBytes === 0, 'the first shipper to be done', 30_000);
    const lock = ShipperLock.acquire(dir);
    assert.ok(lock);
    const second = new Shipper({ dir, lock, export: { ...PLAIN_EXPORT, url: endpoint.grpcUrl }, maxBytes: 2 ** 30 });
    const done = second.run();
    await endpoint.waitForSpans(8000);
    second.stop(5000);
    assert.equal(await done, true);
    assertEach(endpoint, 8000);
    assert.equal(journal.stats().lost.total + shipper.stats().dropped + second.stats().dropped, 0);
    assert.deepEqual(
      warnings.filter(({ code }) => code === 'FORKTRACE_JOURNAL_LOSS' || code === 'FORKTRACE_SPANS_DROPPED'),
      [],
    );
  });

test('a directory that is deleted while nobody takes spans: those that are lost are counted and said', async (t) => {
  const { dir, open, write, ship, warnings } = await journalScene(t);
  const endpoint = await OtlpEndpoint.start(t);
  endpoint.answerWith({ answer: 'unavailable' });
  const journal = open();
  const { shipper, done } = ship({ url: endpoint.grpcUrl });
  write(journal, 4000, 'span', 'x'.repeat(900));
  await waitFor(() => shipper.stats().lagBytes > 3_700_000, 'a look at all of it');
  rmSync(dir, { recursive: true });
  journal.close();
  // What the active segment held is in a new one.
  const saved = listJournal(dir).filter(({ kind }) => kind === 'segment').length;
  assert.equal(saved, 1);
  await done;
  endpoint.answerOk();
  const lock = ShipperLock.acquire(dir);
  assert.ok(lock);
  const second = new Shipper({ dir, lock, export: { ...PLAIN_EXPORT, url: endpoint.grpcUrl }, maxBytes: 2 ** 30 });
  second.stop(5000);
  assert.equal(await second.run(), true);
  const arrived = endpoint.received().length;
  assert.ok(arrived > 0 && arrived < 2000);
  assert.equal(journal.stats().lost.total + shipper.stats().dropped + arrived, 4000);
  await waitFor(
    () => warnings.some(({ message }) => message.includes(`${4000 - arrived} spans`) && /deleted/.test(message)),
    'a word',
  );
});

test('a file system that turns read-only: what a dead writer left is shipped once, and holds no shipper', async (t) => {
  const { dir, warnings } = await journalScene(t);
  const endpoint = await OtlpEndpoint.start(t);
  const writer = runProgram(t, fixture('span-writer'), { args: [dir, 'write', '300', 'span', '2', 'wait'] });
  await writer.waitForOutput(/written/);
  const lock = ShipperLock.acquire(dir);
  assert.ok(lock);
  const target = { ...PLAIN_EXPORT, url: endpoint.grpcUrl };
  const shipper = new Shipper({ dir, lock, export: target, maxBytes: 2 ** 30, lingerMs: 1500 });
  const done = shipper.run();
  await endpoint.waitForSpans(300);
  using mounted = mountReadOnly(t, dir);
  if (mounted === undefined) {
    shipper.stop(0);
    return;
  }
  const before = endpoint.requests.length;
  writer.kill('SIGKILL');
  await writer.waitForExit();
  await Promise.race([
    done,
    sleep(15_000, undefined, { ref: false }).then(() => assert.fail('the shipper does not end')),
  ]);
  assert.equal(endpoint.requests.length, before, 'nothing is sent a second time');
  assert.ok(warnings.some(({ message }) => /EROFS|read-only/.test(message)));
});

test('an endpoint that is away while thousands of writers die: few files are open at a time, and all arrive', async (t) => {
  const { dir, open, write, ship } = await journalScene(t);
  const endpoint = await OtlpEndpoint.start(t);
  endpoint.answerWith({ answer: 'unavailable' });
  const writers = MAX_OPEN.ofTheDead * 2;
  await runProgram(t, fixture('many-writers'), { args: [dir, String(writers)] }).waitForExit();
  const isOpen = () => openBelow(dir).filter((path) => path.endsWith('.segment')).length;
  const { shipper } = ship({ url: endpoint.grpcUrl });
  await waitFor(() => isOpen() > 0, 'a look at the files');
  const living = open();
  write(living, 100, 'living');
  const { lagBytes } = shipper.stats();
  await waitFor(() => shipper.stats().lagBytes > lagBytes, 'a look at the one that lives');
  assert.ok(isOpen() <= MAX_OPEN.ofTheDead + MAX_OPEN.perLivingWriter, `${isOpen()} are open`);
  endpoint.answerOk();
  await endpoint.waitForSpans(2 * writers + 100);
  assertEach(endpoint, 2 * writers + 100);
  await waitFor(() => listJournal(dir).filter(({ kind }) => kind === 'segment').length <= 1, 'the files to go');
});

/** Files below a directory that this process has open. */
function openBelow(dir: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(join('/proc/self/fd', fd));
      return path.startsWith(dir) ? [path] : [];
    } catch {
      return [];
    }
  });
}
