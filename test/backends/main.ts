/**
 * `npm run test:backends`: real programs take what the shipper sends. Builds and fetches none: each is what
 * its variable says (OTELCOL, JAEGER, NGINX), or on the PATH; one that is not there is skipped, and said.
 * Fails when there is none at all.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { type Backend, backend, LIMIT_BYTES, type StoredSpan } from './backend.js';
import { findProgram } from './find-program.js';

const TIMEOUT_MS = 60_000;
const kinds = ['otelcol', 'jaeger', 'nginx'] as const;
if (!kinds.some((kind) => findProgram(kind))) {
  console.error('test:backends: none of otelcol, jaeger and nginx is there: set OTELCOL, JAEGER or NGINX to one');
  process.exit(1);
}

async function writer(t: TestContext, { grpcUrl, httpUrl }: Backend, protocol: string, more = {}): Promise<Program> {
  const program = runProgram(t, fixture('backend-writer'), {
    ipc: true,
    env: {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'backends',
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_ENDPOINT: protocol === 'grpc' ? grpcUrl : httpUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
      ...more,
    },
  });
  await program.waitFor(() => program.messages.includes('ready'), 'the writer');
  return program;
}

async function write(program: Program, traces: number, inFlight = 0): Promise<void> {
  const before = program.messages.length;
  program.child.send({ traces, inFlight });
  await program.waitFor(() => program.messages.length > before, 'its spans');
}

/** Each span by its id: at a crash of the backend a request may come twice. */
function distinct<S extends { traceId: string; spanId: string }>(spans: readonly S[]): S[] {
  return [...new Map(spans.map((span) => [`${span.traceId} ${span.spanId}`, span])).values()];
}

function assertTraces(spans: readonly (ReceivedSpan | StoredSpan)[], traces: number): void {
  const all = distinct(spans);
  const parents = new Map(all.filter(({ name }) => name === 'parent').map((span) => [span.spanId, span]));
  const children = all.filter(({ name }) => name === 'first' || name === 'second');
  assert.equal(parents.size, traces);
  assert.equal(children.length, 2 * traces);
  for (const child of children) {
    const parent = parents.get(child.parentSpanId);
    assert.equal(parent?.traceId, child.traceId);
    assert.equal(parent?.attributes.n, child.attributes.n);
  }
  assert.equal(new Set(all.map(({ resource }) => resource['service.instance.id'])).size, 1);
  for (const { resource } of all) assert.equal(resource['service.name'], 'backends');
}

for (const kind of kinds) {
  const program = findProgram(kind);
  for (const protocol of ['grpc', 'http/protobuf']) {
    const name = `${kind} (${program ?? 'not there'}), ${protocol}`;
    const options = program ? { timeout: 180_000 } : { skip: `SKIPPED: set ${kind.toUpperCase()} to one` };

    test(`${name}: a writer that is killed: counts, parents, resources, interrupted spans`, options, async (t) => {
      const sink = await OtlpEndpoint.start(t);
      const taker = await backend(t, kind, program!, sink);
      await taker.start();
      const app = await writer(t, taker, protocol);
      await write(app, 1000, 3);
      app.kill('SIGKILL');
      await sink.waitForSpans(3003, TIMEOUT_MS);
      assert.equal(sink.received().length, 3003, 'each once');
      assertTraces(sink.received(), 1000);
      const interrupted = sink.received().filter(({ attributes }) => attributes['forktrace.interrupted'] === true);
      assert.deepEqual(
        interrupted.map(({ name, attributes }) => [name, attributes.n]).sort(),
        [0, 1, 2].map((n) => ['in flight', n]),
      );
      if (taker.stored) {
        const stored = await taker.stored('backends');
        assert.equal(stored.length, 3003);
        assertTraces(stored, 1000);
        const told = stored.filter(({ attributes }) => attributes['forktrace.interrupted'] === true);
        assert.deepEqual(told.map(({ name, attributes }) => [name, attributes.error]).sort(), [
          ...Array.from({ length: 3 }, () => ['in flight', true]),
        ]);
      }
    });

    test(`${name}: a request that is too large for it`, options, async (t) => {
      const sink = await OtlpEndpoint.start(t);
      const taker = await backend(t, kind, program!, sink);
      const app = await writer(t, taker, protocol);
      // More than its limit waits before it is there.
      await write(app, 3000);
      await taker.start();
      await sink.waitForSpans((spans) => distinct(spans).length >= 9000, TIMEOUT_MS);
      assertTraces(sink.received(), 3000);
      assert.equal(sink.received().length, 9000, 'each once');
      assert.ok(sink.requests.every(({ bytes }) => bytes <= LIMIT_BYTES * 1.1));
      assert.doesNotMatch(app.stderr, /FORKTRACE_SPANS_REFUSED/);
    });

    test(`${name}: killed, away, back`, options, async (t) => {
      const sink = await OtlpEndpoint.start(t);
      const taker = await backend(t, kind, program!, sink);
      await taker.start();
      const app = await writer(t, taker, protocol);
      await write(app, 500);
      await sink.waitForSpans(1, TIMEOUT_MS);
      await taker.kill();
      await write(app, 500);
      await app.waitFor(() => /FORKTRACE_EXPORT_FAILED/.test(app.stderr), 'a word of it', TIMEOUT_MS);
      await taker.start();
      await sink.waitForSpans((spans) => distinct(spans).length >= 3000, TIMEOUT_MS);
      assertTraces(sink.received(), 1000);
      await app.waitFor(() => /FORKTRACE_EXPORT_RECOVERED/.test(app.stderr), 'the end of it');
      // What it had stored went with it.
      if (taker.stored) assert.ok((await taker.stored('backends')).length >= 1500);
    });
  }
}
