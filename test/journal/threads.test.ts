import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { journalScene } from '../shipper/journal-scene.js';

const THREADS = 6;

for (const ending of ['terminate', 'throw', 'close']) {
  test(`worker threads that end by ${ending}: spans and interrupted ones arrive, and memory and files are given back, while the process lives`, async (t) => {
    const scene = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t);
    const program = runProgram(t, fixture('threads'), { args: [scene.dir, ending, String(THREADS)] });
    await program.waitFor(() => program.stdout.includes('\n'), 'the threads have ended');
    const { before, after } = JSON.parse(program.stdout);
    assert.equal(after, before, 'files of the journal that are mapped');

    scene.ship({ url: endpoint.grpcUrl });
    const spans = await endpoint.waitForSpans(2 * THREADS);
    const interrupted = spans.filter((span) => span.attributes['forktrace.interrupted'] === true);
    assert.equal(interrupted.length, THREADS);
    await waitFor(
      () => writers(scene.dir) === 1,
      'the files of the threads are gone, those of the main thread are not',
    );
    assert.equal(program.exit, undefined);
  });
}

function writers(dir: string): number {
  return new Set(readdirSync(dir).flatMap((name) => /^([0-9a-f]{32})-/.exec(name)?.[1] ?? [])).size;
}
