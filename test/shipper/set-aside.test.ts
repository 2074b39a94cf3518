import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { Relay } from '../endpoint/relay.js';
import { waitFor } from '../process/wait-for.js';
import { type JournalScene, journalScene } from './journal-scene.js';

const TIMEOUT_MS = 120_000;
const POISON = 'poison';
/** Of the tries of what was set aside, in milliseconds: shortened, so that the last one comes soon. */
const SET_ASIDE_MS = 20;

/** A server that fails over requests with the poison, in front of an endpoint. */
interface Ill {
  url: string;
  /** How often it has failed over the poison. */
  failures(): number;
}

/** A process that dies over it: the connection is reset, and the next one works. */
async function dying(t: TestContext, url: string): Promise<Ill> {
  const { port, pathname } = new URL(url);
  const relay = await Relay.start(t, () => Number(port));
  relay.cutAt(POISON);
  return { url: `${relay.url}${pathname === '/' ? '' : pathname}`, failures: () => relay.cuts };
}

/** A proxy whose upstream dies over it, or an upstream that says no more than that. */
async function answering(t: TestContext, url: string, status: number): Promise<Ill> {
  let failures = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (body.includes(POISON)) {
      failures++;
      response.writeHead(status).end();
      return;
    }
    const taken = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/x-protobuf' } });
    response.writeHead(taken.status, { 'content-type': 'application/x-protobuf' });
    response.end(Buffer.from(await taken.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, failures: () => failures };
}

const KINDS: [string, 'otlp-grpc' | 'otlp-http', (t: TestContext, endpoint: OtlpEndpoint) => Promise<Ill>][] = [
  ['a gRPC endpoint dies over', 'otlp-grpc', (t, endpoint) => dying(t, endpoint.grpcUrl)],
  ['an HTTP endpoint dies over', 'otlp-http', (t, endpoint) => dying(t, endpoint.httpUrl)],
  ['a proxy answers 502 to', 'otlp-http', (t, endpoint) => answering(t, endpoint.httpUrl, 502)],
  ['a server answers 503 to', 'otlp-http', (t, endpoint) => answering(t, endpoint.httpUrl, 503)],
];

/** What has been said of one of the endpoints: those of all tests are spoken of in one process. */
const saidOf = (warnings: JournalScene['warnings'], url: string) => (wanted: string) =>
  warnings.find(({ code, message }) => code === wanted && message.includes(url));

// Each waits most of the time.
describe('what an endpoint fails over', { concurrency: true }, () => {
  for (const [what, to, start] of KINDS) {
    test(`a span that ${what} is set aside, all others are delivered once, and it is given up in the end`, async (t) => {
      const { open, write, ship, warnings } = await journalScene(t);
      const endpoint = await OtlpEndpoint.start(t);
      const ill = await start(t, endpoint);
      const said = saidOf(warnings, ill.url);
      const [journal, other] = [open('shop'), open('till')];
      write(journal, 300, 'before');
      write(journal, 1, POISON);
      write(journal, 300, 'after');
      write(other, 300, 'other');
      const { shipper } = ship({ to, url: ill.url }, { setAsideMs: SET_ASIDE_MS });
      await endpoint.waitForSpans(900, TIMEOUT_MS);
      await waitFor(() => said('FORKTRACE_SPANS_SET_ASIDE'), 'a word', TIMEOUT_MS);
      assert.equal(shipper.stats().refused, 0);
      // Nothing waits behind it; and each of these says that the endpoint works.
      let later = 0;
      await waitFor(
        () => {
          if (endpoint.received().length === 900 + later) write(other, 1, `later ${later++}`);
          return shipper.stats().refused === 1;
        },
        () => `the end of it: ${JSON.stringify(shipper.stats())}`,
        TIMEOUT_MS,
      );
      await waitFor(() => shipper.stats().lagBytes === 0, 'the rest', TIMEOUT_MS);
      const names = endpoint.received().map(({ name }) => name);
      assert.equal(new Set(names).size, 900 + later);
      assert.equal(names.length, 900 + later, 'each once');
      assert.ok(ill.failures() >= 8, `it was tried ${ill.failures()} times`);
      const last = await waitFor(() => said('FORKTRACE_SPANS_REFUSED'), 'a word', TIMEOUT_MS);
      assert.match(last.message, /refused 1 span for good: it failed 8 times over it alone/);
    });
  }

  test('an endpoint that is away for a while, or takes its time to start, has nothing set aside', async (t) => {
    const { open, write, ship, warnings } = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t);
    // Behind a proxy that has nobody to ask: longer than it takes to suspect spans.
    endpoint.answerWith({ answer: 'unavailable' }, 9);
    const said = saidOf(warnings, endpoint.httpUrl);
    for (const service of ['shop', 'till']) write(open(service), 300, service);
    const { shipper } = ship({ to: 'otlp-http', url: endpoint.httpUrl });
    await endpoint.waitForSpans(600, TIMEOUT_MS);
    await waitFor(() => shipper.stats().lagBytes === 0, 'the end', TIMEOUT_MS);
    assert.equal(endpoint.received().length, 600, 'each once');
    assert.equal(said('FORKTRACE_SPANS_SET_ASIDE') ?? said('FORKTRACE_SPANS_REFUSED'), undefined);
  });

  test('what was set aside is delivered by the next shipper, where the endpoint has been mended', async (t) => {
    const { open, write, ship, warnings } = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t);
    const { url } = await dying(t, endpoint.httpUrl);
    const said = saidOf(warnings, url);
    const journal = open();
    write(journal, 1, POISON);
    write(journal, 50, 'fine');
    const first = ship({ to: 'otlp-http', url });
    await waitFor(() => said('FORKTRACE_SPANS_SET_ASIDE'), 'a word', TIMEOUT_MS);
    first.shipper.stop(5000);
    assert.equal(await first.done, false);
    assert.equal(first.shipper.left, 1);
    // The same destination, which now takes it.
    const { shipper } = ship({ to: 'otlp-http', url: endpoint.httpUrl });
    await endpoint.waitForSpans(51, TIMEOUT_MS);
    await waitFor(() => shipper.stats().lagBytes === 0, 'the end', TIMEOUT_MS);
    assert.equal(endpoint.received().length, 51);
  });
});
