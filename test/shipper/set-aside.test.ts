import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { readRefused } from '#src/journal/refused.js';
import { countSetAside, destinationOf, writeDestination } from '#src/shipper/destination.js';
import type { Answer } from '../endpoint/answer.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { Relay } from '../endpoint/relay.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { type JournalScene, journalScene, PLAIN_EXPORT } from './journal-scene.js';

const TIMEOUT_MS = 120_000;
const POISON = 'poison';
/** Waits of a shipper, in milliseconds: shortened, so that the last try comes soon. */
const SOON = { setAsideMs: 20, retryMs: 20 };
/** Spans of each kind. */
const MANY = 40;
/** Of an endpoint that answers in milliseconds, unless it never does. */
const NO_ANSWER_MS = 1000;
/** Enough to take a request apart, however late the answers. */
const AT_END_MS = 60_000;

/** A server that fails over requests with the poison, in front of an endpoint. */
interface Ill {
  url: string;
  /** How often it has failed over the poison. */
  failures(): number;
  /** For which it is waited. */
  timeoutMs?: number | undefined;
}

/** A process that dies over it: the connection is reset, and the next one works. */
async function dying(t: TestContext, url: string): Promise<Ill> {
  const { port, pathname } = new URL(url);
  const relay = await Relay.start(t, () => Number(port));
  relay.cutAt(POISON);
  return { url: `${relay.url}${pathname === '/' ? '' : pathname}`, failures: () => relay.cuts };
}

/** An endpoint that answers like this where the poison is. */
function answering(answer: Answer, timeoutMs?: number) {
  return async (_: TestContext, endpoint: OtlpEndpoint, to: Protocol): Promise<Ill> => {
    endpoint.answerWith({ answer: 'refuse-spans', named: new RegExp(`^${POISON}`), with: answer });
    const failures = () => endpoint.requests.filter((request) => request.answer === answer.answer).length;
    return { url: to === 'otlp-grpc' ? endpoint.grpcUrl : endpoint.httpUrl, failures, timeoutMs };
  };
}

const http = (status: number) => answering({ answer: 'fail', grpc: 0, http: status });
const grpc = (code: status) => answering({ answer: 'fail', grpc: code, http: 0 });

type Protocol = 'otlp-grpc' | 'otlp-http';
const KINDS: [string, Protocol, (t: TestContext, endpoint: OtlpEndpoint, to: Protocol) => Promise<Ill>][] = [
  ['a gRPC endpoint dies over', 'otlp-grpc', (t, endpoint) => dying(t, endpoint.grpcUrl)],
  ['an HTTP endpoint dies over', 'otlp-http', (t, endpoint) => dying(t, endpoint.httpUrl)],
  ['a proxy answers 502 to', 'otlp-http', http(502)],
  ['a server answers 503 to', 'otlp-http', http(503)],
  ['a proxy answers 504 to', 'otlp-http', http(504)],
  ['a firewall answers 403 to', 'otlp-http', http(403)],
  ['an HTTP endpoint has no answer to', 'otlp-http', answering({ answer: 'hang' }, NO_ANSWER_MS)],
  ['a gRPC endpoint has no answer to', 'otlp-grpc', answering({ answer: 'hang' }, NO_ANSWER_MS)],
  ['an HTTP endpoint never ends its answer to', 'otlp-http', answering({ answer: 'trickle' }, NO_ANSWER_MS)],
  ['a gRPC endpoint answers UNAVAILABLE to', 'otlp-grpc', grpc(status.UNAVAILABLE)],
  ['a firewall answers PERMISSION_DENIED to', 'otlp-grpc', grpc(status.PERMISSION_DENIED)],
  ['a gRPC endpoint answers DATA_LOSS to', 'otlp-grpc', grpc(status.DATA_LOSS)],
];

/** What has been said of one of the endpoints: those of all tests are spoken of in one process. */
const saidOf = (warnings: JournalScene['warnings'], url: string) => (wanted: string) =>
  warnings.find(({ code, message }) => code === wanted && message.includes(url));

// Each waits most of the time.
describe('what an endpoint fails over', { concurrency: true }, () => {
  for (const [what, to, start] of KINDS) {
    test(`a span that ${what} is set aside, all others are delivered once, and it is given up in the end`, async (t) => {
      const { dir, open, write, ship, warnings } = await journalScene(t);
      const endpoint = await OtlpEndpoint.start(t);
      const { url, timeoutMs = PLAIN_EXPORT.timeoutMs, failures } = await start(t, endpoint, to);
      const said = saidOf(warnings, url);
      const [journal, other] = [open('shop'), open('till')];
      const target = { ...PLAIN_EXPORT, to, url, timeoutMs };
      for (const { writerId } of [journal, other]) writeDestination(dir, writerId, destinationOf(target));
      write(journal, MANY, 'before');
      write(journal, 1, POISON);
      write(journal, MANY, 'after');
      write(other, MANY, 'other');
      const { shipper } = ship(target, SOON);
      await endpoint.waitForSpans(3 * MANY, TIMEOUT_MS);
      await waitFor(() => said('FORKTRACE_SPANS_SET_ASIDE'), 'a word', TIMEOUT_MS);
      assert.equal(shipper.stats().refused, 0);
      const isShop = (id: string) => id === journal.writerId;
      assert.equal(countSetAside(dir, isShop), 1);
      // Nothing waits behind it; and each of these says that the endpoint works.
      let later = 0;
      await waitFor(
        () => {
          if (endpoint.received().length === 3 * MANY + later) write(other, 1, `later ${later++}`);
          return shipper.stats().refused === 1;
        },
        () => `the end of it: ${JSON.stringify(shipper.stats())}`,
        TIMEOUT_MS,
      );
      await waitFor(() => shipper.stats().lagBytes === 0, 'the rest', TIMEOUT_MS);
      const names = endpoint.received().map(({ name }) => name);
      assert.equal(new Set(names).size, 3 * MANY + later);
      // An answer that did not come in time may have been one.
      if (timeoutMs !== NO_ANSWER_MS) assert.equal(names.length, 3 * MANY + later, 'each once');
      assert.ok(failures() >= 8, `it was tried ${failures()} times`);
      // It was its writer's all the time.
      assert.deepEqual(readRefused(dir, journal.writerId), { _OTHER: 1 });
      assert.equal(countSetAside(dir, isShop), 0);
      const last = await waitFor(() => said('FORKTRACE_SPANS_REFUSED'), 'a word', TIMEOUT_MS);
      assert.match(last.message, /refused 1 span for good: it failed 8 times over it alone/);
    });
  }

  for (const [what, to, start] of KINDS) {
    test(`at an end a span that ${what} costs the others nothing`, async (t) => {
      const { open, write, ship, warnings } = await journalScene(t);
      const endpoint = await OtlpEndpoint.start(t);
      const { url, timeoutMs = PLAIN_EXPORT.timeoutMs } = await start(t, endpoint, to);
      const said = saidOf(warnings, url);
      const [journal, other] = [open('shop'), open('till')];
      write(journal, MANY, 'before');
      write(journal, 1, POISON);
      write(journal, MANY, 'after');
      write(other, MANY, 'other');
      const { shipper, done } = ship({ to, url, timeoutMs }, SOON);
      shipper.stop(AT_END_MS);
      assert.equal(await done, false);
      const names = new Set(endpoint.received().map(({ name }) => name));
      assert.equal(names.size, 3 * MANY);
      assert.equal(shipper.left, 1);
      await waitFor(() => said('FORKTRACE_SPANS_LEFT'), 'a word', TIMEOUT_MS);
    });
  }

  test('for the metrics of its process a span that is set aside still waits', async (t) => {
    const [traces, metrics] = [await OtlpEndpoint.start(t), await OtlpEndpoint.start(t)];
    traces.answerWith({ answer: 'refuse-spans', named: /^span 3$/, with: { answer: 'unavailable' } });
    const program = runProgram(t, fixture('flushing'), {
      ipc: true,
      env: {
        OTEL_SERVICE_NAME: 'measured',
        FORKTRACE_EXPORT: 'otlp-grpc',
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces.grpcUrl,
        ...metrics.metricsEnvironment,
        FORKTRACE_JOURNAL_DIR: await tempDir(t),
      },
    });
    program.child.send({ by: 'tracing', timeoutMillis: TIMEOUT_MS });
    await once(program.child, 'message', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    await traces.waitForSpans(9, TIMEOUT_MS);
    const newest = (name: string) =>
      metrics.metrics.findLast((metric) => metric.name === name)?.points.map(({ value }) => value);
    await metrics.waitForMetrics(() => newest('otel.sdk.exporter.span.exported')?.[0] === 9, TIMEOUT_MS);
    assert.deepEqual(newest('otel.sdk.exporter.span.inflight'), [1]);
  });

  test('an endpoint that is away for a while, or takes its time to start, has nothing set aside', async (t) => {
    const { open, write, ship, warnings } = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t);
    // Behind a proxy that has nobody to ask: longer than it takes to suspect spans.
    endpoint.answerWith({ answer: 'unavailable' }, 9);
    const said = saidOf(warnings, endpoint.httpUrl);
    for (const service of ['shop', 'till']) write(open(service), 300, service);
    const { shipper } = ship({ to: 'otlp-http', url: endpoint.httpUrl }, SOON);
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
    const first = ship({ to: 'otlp-http', url }, { retryMs: SOON.retryMs });
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
