import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { type JournalScene, journalScene } from '../shipper/journal-scene.js';
import { readBack } from './read-back.js';
import { idOf } from './span-bytes.js';

/**
 * In a pid namespace of its own, as in another container: a shipper outside of it has but the lease to go by.
 */
const unshare = ['--pid', '--fork', '--mount-proc', '--kill-child'];
const able = spawnSync('unshare', [...unshare, 'true']).status === 0;
const skip = able ? false : 'needs Linux and root: unshare --pid';

interface Scene extends JournalScene {
  endpoint: OtlpEndpoint;
  writer: Program;
}

async function setUp(t: TestContext, mode: string): Promise<Scene> {
  const scene = await journalScene(t);
  const endpoint = await OtlpEndpoint.start(t);
  const writer = runProgram(t, fixture('returning-writer'), {
    args: [scene.dir, mode],
    node: 'unshare',
    execArgv: [...unshare, process.execPath],
    ipc: true,
  });
  await writer.waitForOutput(/ready/);
  return { ...scene, endpoint, writer };
}

const isInterrupted = ({ attributes }: ReceivedSpan) => attributes['forktrace.interrupted'] === true;
const ids = (spans: readonly ReceivedSpan[]) =>
  spans.map(({ spanId }) => idOf(Buffer.from(spanId, 'hex'))).sort((a, b) => a - b);
const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

/**
 * Once the three requests have been told as interrupted, the writer goes on: and nothing is lost, and nothing
 * comes twice.
 */
async function goesOn({ dir, endpoint, writer }: Scene): Promise<void> {
  writer.send({});
  await writer.waitForOutput(/"lost"/);
  const said = JSON.parse(writer.stdout.split('\n').at(-2)!);
  assert.equal(said.lost, 0);
  assert.equal(said.ids.length, 1, 'it has taken another id, once');
  assert.equal(said.now, said.ids[0]);

  const spans = await endpoint.waitForSpans(100 + 3 + 1000 + 3);
  const interrupted = spans.filter(isInterrupted);
  const ended = spans.filter((span) => !isInterrupted(span));
  assert.deepEqual(ids(interrupted), [1, 2, 3]);
  assert.deepEqual(ids(ended), [1, 2, 3, ...upTo(100, 200), ...upTo(1000, 2000)]);
  const late = ended.filter(({ attributes }) => attributes['forktrace.ended_after_interruption'] === true);
  assert.deepEqual(ids(late), [1, 2, 3]);
  // What begins now would be found: under the new id.
  const inFlight = readBack(dir).inFlight;
  assert.deepEqual(
    inFlight.map(({ id, writerId }) => [id, writerId]),
    [[4, said.now]],
  );
}

for (const mode of ['mmap', 'write']) {
  test(`${mode}: a writer that was taken for dead as a clock was an hour ahead goes on, and loses nothing`, {
    skip,
  }, async (t) => {
    const scene = await setUp(t, mode);
    const now = Date.now;
    t.after(() => {
      Date.now = now;
    });
    Date.now = () => now() + 3_600_000;
    scene.ship({ url: scene.endpoint.grpcUrl });
    await scene.endpoint.waitForSpans((spans) => spans.filter(isInterrupted).length === 3);
    Date.now = now;
    await goesOn(scene);
  });
}

for (const mode of ['mmap', 'write']) {
  test(`${mode}: a writer that was stopped for longer than its lease goes on, and loses nothing`, {
    skip,
  }, async (t) => {
    const scene = await setUp(t, mode);
    scene.ship({ url: scene.endpoint.grpcUrl });
    await scene.endpoint.waitForSpans(100);
    const { pid } = scene.writer;
    const node = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
    process.kill(node, 'SIGSTOP');
    await scene.endpoint.waitForSpans((spans) => spans.filter(isInterrupted).length === 3, 60_000);
    process.kill(node, 'SIGCONT');
    await goesOn(scene);
  });
}

test('a clock that jumps while a shipper looks on kills nobody', { skip }, async (t) => {
  const scene = await setUp(t, 'mmap');
  const { shipper } = scene.ship({ url: scene.endpoint.grpcUrl });
  await scene.endpoint.waitForSpans(100);
  const now = Date.now;
  t.after(() => {
    Date.now = now;
  });
  Date.now = () => now() + 3_600_000;
  scene.writer.send({});
  // Lookups of who lives come twice a second; spans of a writer that lives arrive meanwhile.
  await scene.endpoint.waitForSpans(100 + 1000 + 3);
  assert.equal(shipper.liveWriters, 1);
  assert.deepEqual(scene.endpoint.received().filter(isInterrupted), []);
});
