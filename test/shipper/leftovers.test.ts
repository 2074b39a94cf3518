import assert from 'node:assert/strict';
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SPARE, UNFINISHED } from '#src/journal/format.js';
import { destinationOf, writeDestination } from '#src/shipper/destination.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { journalScene, PLAIN_EXPORT } from './journal-scene.js';

async function writer(t: TestContext, dir: string, end: 'wait' | 'linger'): Promise<Program> {
  const program = runProgram(t, fixture('span-writer'), { args: [dir, 'mmap', '100', 'span', '0', end] });
  await program.waitForOutput(/written/);
  return program;
}

/** All but the shipper's own. */
const filesIn = (dir: string) => readdirSync(dir).filter((name) => !name.startsWith('shipper-'));

test('what a process has left that ends after its journal was closed and shipped is deleted', async (t) => {
  const { dir, ship } = await journalScene(t);
  const endpoint = await OtlpEndpoint.start(t);
  ship({ url: endpoint.grpcUrl });
  const program = await writer(t, dir, 'linger');
  await endpoint.waitForSpans(100);
  await waitFor(() => filesIn(dir).every((name) => name.endsWith('.vitals')), 'the end of its journal');
  assert.equal(filesIn(dir).length, 1, 'as long as it lives');
  program.kill('SIGKILL');
  await waitFor(
    () => filesIn(dir).length === 0,
    () => `an empty directory: ${filesIn(dir)}`,
  );
});

test('what a process has said of itself is not left where the shipper goes before it ends', async (t) => {
  const { dir, open, write, ship } = await journalScene(t);
  const endpoint = await OtlpEndpoint.start(t);
  const target = { ...PLAIN_EXPORT, url: endpoint.grpcUrl };
  const journal = open();
  writeDestination(dir, journal.writerId, destinationOf(target));
  write(journal, 10, 'span');
  journal.close();
  assert.equal(await ship(target, { lingerMs: 100 }).done, true);
  assert.equal(endpoint.received().length, 10);
  assert.deepEqual(filesIn(dir), []);
});

test('what a process had said whose last file a shipper deleted that was killed then is not left', async (t) => {
  const { dir, ship } = await journalScene(t);
  const target = { ...PLAIN_EXPORT, url: 'http://127.0.0.1:9' };
  writeDestination(dir, 'a'.repeat(32), destinationOf(target));
  assert.equal(await ship(target, { lingerMs: 1500 }).done, true);
  assert.deepEqual(filesIn(dir), []);
});

for (const ending of [SPARE, UNFINISHED]) {
  test(`a file ${ending} of a dead writer that has nothing else is deleted, that of a living one stays`, async (t) => {
    const { dir, ship } = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t);
    const names: string[] = [];
    for (const fate of ['dead', 'alive']) {
      const program = await writer(t, dir, 'wait');
      const own = filesIn(dir).filter((name) => !names.some((other) => name.startsWith(other.slice(0, 32))));
      const [segment, ...rest] = own.sort((a, b) => Number(b.endsWith('.segment')) - Number(a.endsWith('.segment')));
      // As a shipper leaves it that ends over giving a segment back, or a writer over filling it again.
      renameSync(join(dir, segment!), join(dir, segment! + ending));
      for (const name of rest) rmSync(join(dir, name));
      names.push(segment! + ending);
      if (fate === 'alive') continue;
      program.kill('SIGKILL');
      await program.waitForExit();
    }
    assert.deepEqual(filesIn(dir).sort(), [...names].sort());
    ship({ url: endpoint.grpcUrl });
    await waitFor(() => filesIn(dir).length === 1, 'the end of the first');
    assert.deepEqual(filesIn(dir), names.slice(1));
  });
}
