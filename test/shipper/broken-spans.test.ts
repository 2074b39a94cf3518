// A span that no decoder takes costs itself alone: it is found before, or as soon as, an endpoint refuses it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FromShipper } from '#src/shipper/shipper-messages.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { waitFor } from '../process/wait-for.js';
import { spanFields } from './export-request.js';
import { chunkOf, forge, table } from './forged-file.js';
import { journalScene } from './journal-scene.js';

/** An attribute that is longer than the span. */
const BROKEN = Buffer.from('4affffffff07', 'hex');
const GOOD_COUNT = 64;
const BROKEN_COUNT = 5;

/** Broken ones among good ones. */
function spans(prefix: string): Uint8Array[] {
  const all = Array.from({ length: GOOD_COUNT }, (_, n) => spanFields(`${prefix} ${n}`));
  for (let n = 0; n < BROKEN_COUNT; n++) all.splice(n * 11, 0, BROKEN);
  return all;
}

const body = (prefix: string) => Buffer.concat(spans(prefix).map((span) => chunkOf(span)));

test('a broken span of a dead writer never leaves the machine: it is skipped and counted, all others arrive', async (t) => {
  const { dir, ship, warnings } = await journalScene(t);
  const endpoint = await OtlpEndpoint.start(t);
  forge(dir, { body: body('dead') }, false);
  const { shipper, done } = ship({ url: endpoint.grpcUrl });
  await endpoint.waitForSpans(GOOD_COUNT);
  await waitFor(() => shipper.stats().lagBytes === 0, 'the end');
  shipper.stop(5000);
  assert.equal(await done, true);
  assert.deepEqual(endpoint.malformed, []);
  assert.equal(endpoint.received().length, GOOD_COUNT, 'each once');
  assert.deepEqual([shipper.stats().read, shipper.stats().refused], [GOOD_COUNT, 0]);
  const said = warnings.filter(({ code }) => code === 'FORKTRACE_JOURNAL_MALFORMED');
  assert.match(
    said[0]!.message,
    new RegExp(`^${BROKEN_COUNT} unreadable parts of the journal skipped.* contains bytes that are no span`),
  );
});

test('a broken span of a living writer costs one refused request: then each span of its is looked into', async (t) => {
  const { dir, open, write, ship } = await journalScene(t);
  const endpoint = await OtlpEndpoint.start(t);
  const other = open('till');
  write(other, GOOD_COUNT, 'other');
  forge(dir, { body: body('alive') }, true);
  const { shipper } = ship({ to: 'otlp-http', url: endpoint.httpUrl });
  await endpoint.waitForSpans(2 * GOOD_COUNT);
  await waitFor(() => shipper.stats().lagBytes === 0, 'the end');
  assert.equal(endpoint.malformed.splice(0).length, 1);
  assert.equal(endpoint.received().length, 2 * GOOD_COUNT, 'each once');
  assert.equal(shipper.stats().refused, BROKEN_COUNT);
});

test('broken entries of a dead writer’s table are no interrupted requests; the others are, and are counted right', async (t) => {
  const { dir, ship, warnings } = await journalScene(t);
  const endpoint = await OtlpEndpoint.start(t);
  // What has nothing else tells no resource.
  forge(dir, { body: chunkOf(spanFields('ended')) }, false);
  forge(dir, table(2048, spans('in flight')), false);
  const found: Extract<FromShipper, { type: 'recovered' }>[] = [];
  const { shipper } = ship({ url: endpoint.grpcUrl }, { onRecovered: (recovered) => found.push(recovered) });
  await endpoint.waitForSpans(GOOD_COUNT + 1);
  await waitFor(() => shipper.stats().lagBytes === 0, 'the end');
  assert.equal(endpoint.received().length, GOOD_COUNT + 1);
  assert.equal(shipper.stats().interrupted, GOOD_COUNT);
  assert.deepEqual(found.map(({ requestsInterrupted }) => requestsInterrupted).sort(), [0, GOOD_COUNT]);
  const said = warnings.map(({ message }) => message);
  assert.ok(
    said.some((message) => message.includes(`${BROKEN_COUNT} entries are no spans`)),
    said.join('\n'),
  );
});
