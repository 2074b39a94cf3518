import { type Context, context, ROOT_CONTEXT, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { span } from '#src/span/span.js';

/** forktrace's tracer, `@opentelemetry/sdk-trace-base` 2.x and `@opentelemetry/sdk-trace` 3.x. */
export type Contestant = 'forktrace' | 'sdk-2' | 'sdk-3';

export interface SpanCase {
  /** Spans that arrive for each run. */
  delivers: number;
  /** A promise is awaited before the next run. */
  run(tracer: Tracer, parent: Context, unsampled: Context, i: number): void | Promise<unknown>;
}

const failure = new RangeError('out of stock');
const suppressed = suppressTracing(ROOT_CONTEXT);
const price = span(function price(i: number) {
  return i * 2;
});
const stock = span(async function stock(i: number) {
  return i * 2;
});

/** Spans within spans, `depth` of them, ended from the inside out. */
function nest(tracer: Tracer, parent: Context, depth: number): void {
  const outer = tracer.startSpan('level', undefined, parent);
  if (depth > 1) nest(tracer, trace.setSpan(parent, outer), depth - 1);
  outer.end();
}

/** What is measured, by name. Every case but `root` and `not sampled` starts a child of a recording span. */
export const spanCases: Record<string, SpanCase> = {
  'start + end': {
    delivers: 1,
    run: (tracer, parent) => tracer.startSpan('child', undefined, parent).end(),
  },
  '3 attributes': {
    delivers: 1,
    run(tracer, parent, _, i) {
      const span = tracer.startSpan('reserve items', undefined, parent);
      span.setAttribute('item.count', i & 1023);
      span.setAttribute('warehouse', 'north-2');
      span.setAttribute('express', true);
      span.end();
    },
  },
  '3 at start': {
    delivers: 1,
    run(tracer, parent, _, i) {
      const attributes = { 'item.count': i & 1023, warehouse: 'north-2', express: true };
      tracer.startSpan('reserve items', { attributes }, parent).end();
    },
  },
  '10 attributes': {
    delivers: 1,
    run(tracer, parent, _, i) {
      const span = tracer.startSpan('SELECT orders', undefined, parent);
      span.setAttribute('db.system.name', 'postgresql');
      span.setAttribute('db.namespace', 'shop');
      span.setAttribute('db.operation.name', 'SELECT');
      span.setAttribute('db.collection.name', 'orders');
      span.setAttribute('db.query.text', 'SELECT * FROM orders WHERE customer_id = $1 AND status = $2 ORDER BY id');
      span.setAttribute('server.address', 'db.internal');
      span.setAttribute('server.port', 5432);
      span.setAttribute('db.response.returned_rows', i & 127);
      span.setAttribute('cache.ratio', 0.25 + (i & 7));
      span.setAttribute('customer.id', `c-${i & 4095}`);
      span.end();
    },
  },
  nested: {
    delivers: 2,
    run(tracer, parent) {
      const outer = tracer.startSpan('outer', undefined, parent);
      tracer.startSpan('inner', undefined, trace.setSpan(parent, outer)).end();
      outer.end();
    },
  },
  'nested 10 deep': {
    delivers: 10,
    run: (tracer, parent) => nest(tracer, parent, 10),
  },
  'context.with': {
    delivers: 1,
    run(tracer, parent) {
      const span = tracer.startSpan('child', undefined, parent);
      context.with(trace.setSpan(parent, span), noop);
      span.end();
    },
  },
  '@span sync': { delivers: 1, run: (_, __, ___, i) => void price(i) },
  '@span async': { delivers: 1, run: (_, __, ___, i) => stock(i) },
  suppressed: {
    delivers: 0,
    run(tracer) {
      const span = tracer.startSpan('child', undefined, suppressed);
      span.setAttribute('warehouse', 'north-2');
      span.end();
    },
  },
  active: {
    delivers: 1,
    run: (tracer) => tracer.startActiveSpan('active', (span) => span.end()),
  },
  event: {
    delivers: 1,
    run(tracer, parent, _, i) {
      const span = tracer.startSpan('child', undefined, parent);
      span.addEvent('cache miss', { 'cache.key': 'basket', attempt: i & 3 });
      span.end();
    },
  },
  exception: {
    delivers: 1,
    run(tracer, parent) {
      const span = tracer.startSpan('child', undefined, parent);
      span.recordException(failure);
      span.setStatus({ code: SpanStatusCode.ERROR, message: 'out of stock' });
      span.end();
    },
  },
  root: {
    delivers: 1,
    run(tracer, _, __, i) {
      const attributes = { 'url.path': '/basket', 'http.request.method': 'GET', 'server.port': 3000 };
      const span = tracer.startSpan('GET', { kind: 1, root: true, attributes });
      span.setAttribute('http.response.status_code', 200 + (i & 1));
      span.end();
    },
  },
  'not sampled': {
    delivers: 0,
    run(tracer, _, unsampled) {
      const span = tracer.startSpan('child', undefined, unsampled);
      span.setAttribute('warehouse', 'north-2');
      span.end();
    },
  },
};

function noop(): void {}
