import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { journalScene } from './journal-scene.js';

/** Longer than any test here waits. */
const NEVER_MS = 60_000;

test('spans of a living writer wait for others to travel with, for gatherMs', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const { open, write, ship } = await journalScene(t);
  const journal = open();
  ship({ url: endpoint.grpcUrl, gatherMs: 3000 });
  const from = performance.now();
  write(journal, 1, 'first');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  write(journal, 1, 'later');
  await endpoint.waitForSpans(2);
  assert.equal(endpoint.requests.length, 1);
  // They may have been there since the last look, half a second before.
  assert.ok(performance.now() - from >= 2000, `${performance.now() - from} ms`);
});

test('a full request does not wait', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const { open, write, ship } = await journalScene(t);
  ship({ url: endpoint.grpcUrl, gatherMs: NEVER_MS, maxRequestBytes: 65_536 });
  write(open(), 20, 'large', 'x'.repeat(10_000));
  await endpoint.waitForSpans(6);
});

test('what a process has left behind does not wait: nothing comes after it', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const { dir, ship } = await journalScene(t);
  ship({ url: endpoint.grpcUrl, gatherMs: NEVER_MS });
  const writer = runProgram(t, fixture('span-writer'), { args: [dir, 'mmap', '10', 'w', '2', 'wait'] });
  await writer.waitForOutput(/written/);
  assert.equal(endpoint.requests.length, 0);
  writer.kill('SIGKILL');
  await endpoint.waitForSpans(12);
});

test('an endpoint that has not been reached is tried with little, and gets all once it is', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const { open, write, ship, warnings } = await journalScene(t);
  await endpoint.stop();
  write(open(), 400, 'span', 'x'.repeat(1000));
  const { shipper } = ship({ url: endpoint.grpcUrl, gatherMs: 0 });
  await waitFor(() => warnings.length > 0, 'a failure');
  await endpoint.restart();
  await endpoint.waitForSpans(400);
  await waitFor(() => shipper.stats().shipped === 400, 'all are taken');
  const [first, second] = endpoint.requests;
  assert.ok(first!.bytes < 20_000, `${first!.bytes} bytes`);
  assert.ok(second!.bytes > 200_000, `${second!.bytes} bytes`);
});
