// A disk that fails under some files, for a while or for good, costs their spans time, and others nothing.
import assert from 'node:assert/strict';
import fs, { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { waitFor } from '../process/wait-for.js';
import { type JournalScene, journalScene } from './journal-scene.js';

const skip = existsSync('/proc/self/fd') ? false : 'SKIPPED: nothing here tells what file a descriptor is of';

/** Makes system calls for the files of one writer fail, until it is called off. */
function failing(t: TestContext, call: 'openSync' | 'readSync', writerId: string): () => void {
  const original = fs[call] as (...args: unknown[]) => number;
  const pathOf = (of: unknown) => (typeof of === 'number' ? readlinkSync(`/proc/self/fd/${of}`) : String(of));
  const replaced = (...args: unknown[]) => {
    // What the writer makes is made.
    const isMade = call === 'openSync' && (Number(args[1]) & fs.constants.O_CREAT) !== 0;
    if (!isMade && pathOf(args[0]).includes(writerId))
      throw Object.assign(new Error(`EIO: i/o error, ${call}`), { code: 'EIO' });
    return original(...args);
  };
  const replace = (by: unknown) => {
    Object.assign(fs, { [call]: by });
    syncBuiltinESMExports();
  };
  replace(replaced);
  const end = () => replace(original);
  t.after(end);
  return end;
}

/** Makes listing the directory fail, as it does without a descriptor, until it is called off. */
function failingList(t: TestContext, dir: string): () => void {
  const original = fs.readdirSync;
  const replace = (by: unknown) => {
    Object.assign(fs, { readdirSync: by });
    syncBuiltinESMExports();
  };
  replace((...args: Parameters<typeof original>) => {
    if (args[0] === dir) throw Object.assign(new Error('EMFILE: too many open files, scandir'), { code: 'EMFILE' });
    return original(...args);
  });
  const end = () => replace(original);
  t.after(end);
  return end;
}

const said = ({ warnings }: JournalScene, code: string, text: RegExp) =>
  warnings.some((warning) => warning.code === code && text.test(warning.message));

// One after the other: the calls are those of the whole process.
describe('files that the system cannot read', { skip }, () => {
  for (const [when, call, isEarly] of [
    ['opened', 'openSync', true],
    ['read from the start', 'readSync', true],
    ['read any more', 'readSync', false],
    ['opened, when others of its writer were', 'openSync', false],
  ] as const) {
    test(`which cannot be ${when}: others are delivered, they are said, and delivered when they can be`, async (t) => {
      const scene = await journalScene(t);
      const { open, write, ship } = scene;
      const endpoint = await OtlpEndpoint.start(t);
      const [shop, till] = [open('shop'), open('till')];
      write(shop, 20, 'shop');
      const count = (name: string) => endpoint.received().filter((span) => span.name.startsWith(name)).length;
      let end = isEarly ? failing(t, call, shop.writerId) : () => {};
      const { shipper } = ship({ url: endpoint.grpcUrl });
      if (!isEarly) {
        await endpoint.waitForSpans(() => count('shop') === 20);
        end = failing(t, call, shop.writerId);
        // Some of them in another file.
        write(shop, 20, 'shop later', 'x'.repeat(70_000));
      }
      write(till, 20, 'till');
      await endpoint.waitForSpans(() => count('till') === 20);
      await waitFor(() => said(scene, 'FORKTRACE_JOURNAL_MALFORMED', /is unreadable|EIO: i\/o error/), 'a word');
      write(till, 20, 'till later');
      await endpoint.waitForSpans(() => count('till') === 40);
      end();
      const all = isEarly ? 60 : 80;
      await endpoint.waitForSpans(all);
      await waitFor(() => shipper.stats().lagBytes === 0, 'the end');
      assert.equal(endpoint.received().length, all, 'each once');
    });
  }

  test('a directory that cannot be listed while a request is on its way: nothing is taken for deleted, nor sent twice', async (t) => {
    const scene = await journalScene(t);
    const { dir, open, write, ship } = scene;
    const endpoint = await OtlpEndpoint.start(t);
    endpoint.answerWith({ answer: 'slow', delayMs: 1500 }, 1);
    const shop = open('shop');
    write(shop, 20, 'shop');
    const { shipper } = ship({ url: endpoint.grpcUrl });
    await endpoint.waitForRequests(1);
    const end = failingList(t, dir);
    // One that has changed is looked into.
    fs.writeFileSync(join(dir, 'other'), '');
    await waitFor(() => said(scene, 'FORKTRACE_JOURNAL_MALFORMED', /EMFILE/), 'a word');
    await endpoint.waitForSpans(20);
    end();
    write(shop, 20, 'shop later');
    await endpoint.waitForSpans(40);
    await waitFor(() => shipper.stats().lagBytes === 0, 'the end');
    assert.equal(endpoint.received().length, 40, 'each once');
  });

  test('until the end: they stay, and that is said', async (t) => {
    const scene = await journalScene(t);
    const { dir, open, write, ship } = scene;
    const endpoint = await OtlpEndpoint.start(t);
    const [shop, till] = [open('shop'), open('till')];
    write(shop, 20, 'shop');
    write(till, 20, 'till');
    const end = failing(t, 'readSync', shop.writerId);
    shop.close();
    const { shipper, done } = ship({ url: endpoint.grpcUrl });
    await endpoint.waitForSpans(20);
    shipper.stop(5000);
    assert.equal(await done, false);
    end();
    assert.ok(readdirSync(dir).some((name) => name.startsWith(shop.writerId) && name.endsWith('.segment')));
    await waitFor(() => said(scene, 'FORKTRACE_SPANS_LEFT', /^1 file that the system cannot read left in /), 'a word');
    // Nothing of it was lost.
    ship({ url: endpoint.grpcUrl });
    await endpoint.waitForSpans(40);
  });
});
