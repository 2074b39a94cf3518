import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type TraceState, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { JournalSpan } from '#src/tracer/journal-span.js';
import { JournalTracerProvider } from '#src/tracer/provider.js';
import { decodeScopeSpans, decodeSpan } from './decoded-spans.js';
import { MemorySpanLog } from './memory-span-log.js';

const spanLimits = {
  attributeValueLengthLimit: Number.POSITIVE_INFINITY,
  attributeCountLimit: 128,
  eventCountLimit: 128,
  linkCountLimit: 128,
  attributePerEventCountLimit: 128,
  attributePerLinkCountLimit: 128,
};

const resource = resourceFromAttributes({ 'service.name': 'shop' });

describe('a span of the journal pipeline', () => {
  let log: MemorySpanLog;
  beforeEach(() => {
    log = new MemorySpanLog();
  });

  for (const processors of [
    undefined,
    [{ onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} }],
  ]) {
    it(`${processors ? 'with processors: ' : ''}says when it has started by the monotonic clock, unless the program says when`, () => {
      const provider = new JournalTracerProvider({
        resource,
        spanLog: log,
        spanLimits,
        spanProcessors: processors && (() => processors),
      });
      const tracer = provider.getTracer('cart');
      const before = performance.now();
      tracer.startSpan('now', {}, ROOT_CONTEXT).end();
      const after = performance.now();
      tracer.startSpan('then', { startTime: Date.now() - 1000 }, ROOT_CONTEXT).end();
      const [now, then] = log.readings;
      assert.ok(now! > before - 0.01 && now! < after + 0.01, `${now} between ${before} and ${after}`);
      assert.ok(Number.isNaN(then));
    });
  }

  it('is in the log with everything when it has ended', () => {
    const tracer = new JournalTracerProvider({ resource, spanLog: log, spanLimits }).getTracer('cart', '1.2.3', {
      schemaUrl: 'https://s',
    });
    const span = tracer.startSpan('pay', { kind: SpanKind.CLIENT, attributes: { a: 1 } }, ROOT_CONTEXT);
    span.setAttribute('b', ['x', 'y']).addEvent('e', { n: 0.5 });
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'no' }).updateName('pay later');
    span.end();
    const [scopeSpans] = decodeScopeSpans(log.chunks);
    assert.equal(scopeSpans!.scope.name, 'cart');
    assert.equal(scopeSpans!.scope.version, '1.2.3');
    assert.equal(scopeSpans!.schemaUrl, 'https://s');
    const [decoded] = scopeSpans!.spans;
    assert.equal(decoded!.name, 'pay later');
    assert.equal(decoded!.kind, 3);
    assert.equal(decoded!.flags, 0x101);
    assert.equal(Buffer.from(decoded!.traceId, 'base64').toString('hex'), span.spanContext().traceId);
    assert.equal(Buffer.from(decoded!.spanId, 'base64').toString('hex'), span.spanContext().spanId);
    assert.equal(decoded!.parentSpanId, '');
    assert.deepEqual(
      decoded!.attributes.map((attribute) => attribute.key),
      ['a', 'b'],
    );
    assert.equal(decoded!.events[0]!.name, 'e');
    assert.deepEqual({ ...decoded!.status }, { code: 2, message: 'no' });
  });

  it('is in the in-flight table from start to end when it is a local root, and a child is not', () => {
    const tracer = new JournalTracerProvider({ resource, spanLog: log, spanLimits }).getTracer('cart');
    const root = tracer.startSpan('root', { kind: SpanKind.SERVER, attributes: { 'url.path': '/' } }, ROOT_CONTEXT);
    const child = tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, root));
    assert.equal(log.entries.filter(Boolean).length, 1);
    const entry = decodeSpan(log.entries[0]!.span);
    assert.equal(entry.name, 'root');
    assert.equal(entry.attributes[0]!.key, 'url.path');
    child.end();
    assert.equal(log.chunks.length, 1);
    assert.equal(log.finished, 0);
    root.end();
    assert.equal(log.finished, 1);
    assert.equal(log.entries.filter(Boolean).length, 0);
    const [first, second] = decodeScopeSpans(log.chunks);
    assert.equal(first!.spans[0]!.parentSpanId, second!.spans[0]!.spanId);
    assert.equal(first!.spans[0]!.traceId, second!.spans[0]!.traceId);
  });

  it('does not throw for what cannot be recorded or encoded, and keeps what its entry has', () => {
    const tracer = new JournalTracerProvider({ resource, spanLog: log, spanLimits }).getTracer('cart');
    const span = tracer.startSpan('root', { attributes: { known: true } }, ROOT_CONTEXT);
    span.recordException(Object.create(null));
    span.addLink({ context: { traceId: undefined as unknown as string, spanId: '', traceFlags: 1 } });
    span.end();
    const { spans } = decodeScopeSpans(log.chunks)[0]!;
    assert.equal(spans[0]!.name, 'root');
    assert.equal(spans[0]!.attributes.length, 1);
    assert.equal(log.entries.filter(Boolean).length, 0);
  });

  it('is written as a span processor left it', () => {
    const seen: string[] = [];
    const processor = {
      onStart: () => seen.push('start'),
      onEnding: (ending: Span) => {
        seen.push('ending');
        ending.setAttribute('late', 1);
      },
      onEnd: (ended: ReadableSpan) => {
        seen.push('end');
        ended.attributes['card.number'] = 'redacted';
      },
      forceFlush: async () => {},
      shutdown: async () => {},
    };
    const provider = new JournalTracerProvider({
      resource,
      spanLog: log,
      spanLimits,
      spanProcessors: () => [processor],
    });
    const span = provider.getTracer('cart').startSpan('root', { attributes: { 'card.number': '4111' } }, ROOT_CONTEXT);
    span.end();
    const [decoded] = decodeScopeSpans(log.chunks)[0]!.spans;
    const attributes = decoded!.attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]);
    assert.deepEqual(attributes, [
      ['card.number', 'redacted'],
      ['late', '1'],
    ]);
    assert.deepEqual(seen, ['start', 'ending', 'end']);
  });

  it('has its entry brought up to date by a checkpoint, and is whole after it', () => {
    const tracer = new JournalTracerProvider({ resource, spanLog: log, spanLimits }).getTracer('cart');
    const span = tracer.startSpan('GET', { attributes: { a: 1 } }, ROOT_CONTEXT) as JournalSpan;
    span.setAttribute('http.response.status_code', 200).updateName('GET /cart');
    span.checkpoint();
    const entry = decodeSpan(log.entries[0]!.span);
    assert.equal(entry.name, 'GET /cart');
    assert.deepEqual(
      entry.attributes.map(({ key }) => key),
      ['a', 'http.response.status_code'],
    );
    span.setAttribute('a', 2).end();
    const [decoded] = decodeScopeSpans(log.chunks)[0]!.spans;
    assert.deepEqual(
      decoded!.attributes.map(({ key, value }) => [key, value.intValue]),
      [
        ['a', '2'],
        ['http.response.status_code', '200'],
      ],
    );
  });

  it('is encoded in place where it has no entry and the log has room, and copied where it is too large', () => {
    log = new MemorySpanLog(16, 256);
    const tracer = new JournalTracerProvider({ resource, spanLog: log, spanLimits }).getTracer('cart');
    const parent = trace.setSpan(ROOT_CONTEXT, tracer.startSpan('root', {}, ROOT_CONTEXT));
    tracer.startSpan('small', { attributes: { a: 1 } }, parent).end();
    assert.equal(log.committed, 1);
    for (const text of ['x'.repeat(150), 'é'.repeat(100), 'x'.repeat(20_000)]) {
      tracer.startSpan('large', { attributes: { before: 1, text, after: 2 } }, parent).end();
    }
    tracer.startSpan('small again', {}, parent).end();
    assert.equal(log.committed, 2);
    const spans = decodeScopeSpans(log.chunks).flatMap((scopeSpans) => scopeSpans.spans);
    assert.deepEqual(
      spans.map(({ name }) => name),
      ['small', 'large', 'large', 'large', 'small again'],
    );
    assert.deepEqual(
      spans.map(({ attributes }) =>
        attributes.map(({ key, value }) => value.intValue || `${key}${String(value.stringValue).length}`),
      ),
      [['1'], ['1', 'text150', '2'], ['1', 'text100', '2'], ['1', 'text20000', '2'], []],
    );
  });

  it('leaves a span whole that ends while its trace state is asked for', () => {
    const tracer = new JournalTracerProvider({ resource, spanLog: log, spanLimits }).getTracer('cart');
    const parent = trace.setSpan(ROOT_CONTEXT, tracer.startSpan('root', {}, ROOT_CONTEXT));
    const traceState = {
      serialize() {
        tracer.startSpan('inner', { attributes: { a: 1 } }, parent).end();
        return 'k=v';
      },
    } as TraceState;
    const remote = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 1,
      traceState,
    };
    const outer = tracer.startSpan('outer', { attributes: { b: 2 } }, trace.setSpanContext(ROOT_CONTEXT, remote));
    outer.end();
    const spans = decodeScopeSpans(log.chunks).flatMap((scopeSpans) => scopeSpans.spans);
    assert.deepEqual(
      spans.map(({ name, traceState, attributes }) => [name, traceState, attributes.map(({ key }) => key)]),
      [
        ['inner', '', ['a']],
        ['outer', 'k=v', ['b']],
      ],
    );
  });
});
