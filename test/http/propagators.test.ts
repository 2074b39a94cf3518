/**
 * Whoever called is found by the propagators that are configured, whatever headers they read, on HTTP/1 and
 * HTTP/2.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, it, type TestContext } from 'node:test';
import { type Context, propagation, type TextMapPropagator, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { PropagatorName } from '#src/config/resolved.js';
import { traceServer } from '#src/http/trace-server.js';
import { registeredPropagator } from '#src/propagation/w3c-only.js';
import { createPropagator } from '#src/worker/propagators.js';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const W3C = { traceparent: `00-${traceId}-${spanId}-01` };
const B3 = { b3: `${traceId}-${spanId}-1` };
const B3_MULTI = { 'x-b3-traceid': traceId, 'x-b3-spanid': spanId, 'x-b3-sampled': '1' };
const JAEGER = { 'uber-trace-id': `${traceId}:${spanId}:0:01` };
const OWN = { 'x-request-origin': `${traceId}/${spanId}` };

function own(fields: string[]): TextMapPropagator {
  return {
    inject() {},
    extract(context: Context, carrier, getter) {
      const [trace_, span] = String(getter.get(carrier, 'X-Request-Origin') ?? '').split('/');
      if (!trace_ || !span) return context;
      return trace.setSpanContext(context, { traceId: trace_, spanId: span, traceFlags: 1, isRemote: true });
    },
    fields: () => fields,
  };
}

const failing: TextMapPropagator = {
  inject() {},
  extract() {
    throw new Error('extract');
  },
  fields: () => ['traceparent'],
};

type Propagators = readonly (TextMapPropagator | PropagatorName)[];

/** The span's parent, of a request with these headers. */
async function parentOf(t: TestContext, propagators: Propagators, version: 1 | 2, headers: Record<string, string>) {
  const propagator = await createPropagator(propagators);
  propagation.setGlobalPropagator(propagator);
  registeredPropagator(propagator);
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const server = version === 1 ? http.createServer() : http2.createServer();
  server.on('request', (_: unknown, response: http.ServerResponse) => response.end('ok'));
  traceServer(server, { tracerProvider });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (version === 1) {
    const request = http.get(origin, { headers, agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    await once(response, 'end');
  } else {
    const client = http2.connect(origin);
    const stream = client.request({ ':path': '/', ...headers });
    stream.resume();
    await once(stream, 'close');
    client.close();
  }
  const deadline = performance.now() + 10_000;
  while (exporter.getFinishedSpans().length === 0) {
    assert.ok(performance.now() < deadline, 'no span');
    await new Promise(setImmediate);
  }
  const [span] = exporter.getFinishedSpans();
  return span!.parentSpanContext?.traceId === traceId ? span!.parentSpanContext.spanId : undefined;
}

describe("a request's caller", () => {
  afterEach(() => {
    propagation.disable();
    registeredPropagator(undefined);
  });

  const found: [string, Propagators, Record<string, string>][] = [
    ['W3C', ['tracecontext', 'baggage'], W3C],
    ['W3C and no baggage', ['tracecontext'], W3C],
    ['B3 single', ['b3'], B3],
    ['B3 multi where single is configured', ['b3'], B3_MULTI],
    ['B3 multi', ['b3multi'], B3_MULTI],
    ['B3 single where multi is configured', ['b3multi'], B3],
    ['Jaeger', ['jaeger'], JAEGER],
    ['B3 beside W3C', ['tracecontext', 'b3'], B3_MULTI],
    ['W3C beside B3', ['tracecontext', 'b3'], W3C],
    ['one of the program that names its header', [own(['x-request-origin'])], OWN],
    ['one of the program that names no header', [own([])], OWN],
    ["one of the program that names W3C's headers", [own(['traceparent', 'tracestate'])], OWN],
    ['one of the program beside W3C', ['tracecontext', own([])], OWN],
  ];
  const lost: [string, Propagators, Record<string, string>][] = [
    ['baggage alone', ['baggage'], W3C],
    ["a propagator of the program that reads W3C's headers in its own way", [own(['traceparent'])], W3C],
    ['a propagator that throws', [failing], W3C],
    ['none', [], W3C],
  ];
  for (const version of [1, 2] as const) {
    for (const [what, propagators, headers] of found) {
      it(`is found over HTTP/${version} with ${what}`, async (t) => {
        assert.equal(await parentOf(t, propagators, version, headers), spanId);
      });
    }
    for (const [what, propagators, headers] of lost) {
      it(`is not found over HTTP/${version} with ${what}, and the request is served`, async (t) => {
        assert.equal(await parentOf(t, propagators, version, headers), undefined);
      });
    }
  }
});
