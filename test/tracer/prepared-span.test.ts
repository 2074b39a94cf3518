import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-base';
import type { JournalSpan } from '#src/tracer/journal-span.js';
import { JournalTracerProvider, type JournalTracerProviderOptions } from '#src/tracer/provider.js';
import type { JournalTracer } from '#src/tracer/tracer.js';
import { type DecodedSpan, decodeScopeSpans, decodeSpan } from './decoded-spans.js';
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
const CONNECTION = ['url.scheme', 'http', 'server.port', 3000, 'user_agent.original', 'a browser'.repeat(20)];
const REQUEST = ['url.path', '/basket'];

function attributesOf(span: DecodedSpan): Record<string, unknown> {
  return Object.fromEntries(span.attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

describe('a span whose attributes are prepared', () => {
  let log: MemorySpanLog;
  const tracerWith = (options: Partial<JournalTracerProviderOptions> = {}) =>
    new JournalTracerProvider({ resource, spanLog: log, spanLimits, ...options }).getTracer('http') as JournalTracer;
  const start = (tracer: JournalTracer, parent = ROOT_CONTEXT) =>
    tracer.startPreparedSpan(
      'GET',
      SpanKind.SERVER,
      [...REQUEST, undefined, undefined],
      tracer.prepare(CONNECTION)!,
      parent,
    );
  const kept = () => decodeScopeSpans(log.chunks).flatMap(({ spans }) => spans);
  beforeEach(() => {
    log = new MemorySpanLog();
  });

  it('is the span that startSpan makes of the same attributes, in the table and in the log', () => {
    const tracer = tracerWith();
    const pairs = [...CONNECTION, ...REQUEST];
    const attributes: Record<string, string | number> = {};
    for (let i = 0; i < pairs.length; i += 2) attributes[pairs[i] as string] = pairs[i + 1]!;
    const spans = [start(tracer), tracer.startSpan('GET', { kind: SpanKind.SERVER, attributes }, ROOT_CONTEXT)];
    const [prepared, usual] = log.entries.slice(0, 2).map((entry) => decodeSpan(entry!.span));
    assert.deepEqual(prepared!.attributes, usual!.attributes);
    for (const span of spans) {
      span.setAttribute('http.response.status_code', 200);
      (span as JournalSpan).checkpoint();
      span.end();
    }
    const [one, other] = kept();
    const plain = (span: DecodedSpan) => ({
      ...span,
      traceId: '',
      spanId: '',
      startTimeUnixNano: '',
      endTimeUnixNano: '',
    });
    assert.deepEqual(plain(one!), plain(other!));
    assert.deepEqual(attributesOf(one!), {
      'url.scheme': 'http',
      'server.port': '3000',
      'user_agent.original': 'a browser'.repeat(20),
      'url.path': '/basket',
      'http.response.status_code': '200',
    });
  });

  it('has an attribute once, with its last value, when one of the connection is set anew', () => {
    for (const value of ['https', 'http']) {
      const span = start(tracerWith());
      span.setAttribute('tenant', 'blue').setAttribute('url.scheme', value).setAttribute('tenant', 'red');
      span.end();
      const attributes = kept().at(-1)!.attributes;
      assert.deepEqual(attributes.map(({ key }) => key).sort(), [
        'server.port',
        'tenant',
        'url.path',
        'url.scheme',
        'user_agent.original',
      ]);
      assert.equal(attributesOf(kept().at(-1)!)['url.scheme'], value);
      assert.equal(attributesOf(kept().at(-1)!).tenant, 'red');
    }
  });

  it('leaves the next span of the connection as it was', () => {
    const tracer = tracerWith();
    const block = tracer.prepare(CONNECTION)!;
    for (const scheme of ['https', undefined]) {
      const span = tracer.startPreparedSpan('GET', SpanKind.SERVER, [...REQUEST], block, ROOT_CONTEXT);
      if (scheme !== undefined) span.setAttribute('url.scheme', scheme);
      span.end();
    }
    assert.deepEqual(
      kept().map((span) => attributesOf(span)['url.scheme']),
      ['https', 'http'],
    );
  });

  it('shows all attributes to who reads them', () => {
    const span = start(tracerWith()) as JournalSpan;
    assert.deepEqual(
      { ...span.attributes },
      {
        'url.scheme': 'http',
        'server.port': 3000,
        'user_agent.original': 'a browser'.repeat(20),
        'url.path': '/basket',
      },
    );
    span.end();
    assert.equal(kept()[0]!.attributes.length, 4);
  });

  it('counts the attributes of the connection towards the limit', () => {
    const tracer = tracerWith({ spanLimits: { ...spanLimits, attributeCountLimit: 40 } });
    const span = start(tracer) as JournalSpan;
    for (let i = 0; i < 50; i++) span.setAttribute(`k${i}`, i);
    span.end();
    assert.equal(kept()[0]!.attributes.length, 40);
    assert.equal(span.droppedAttributesCount, 14);
  });

  it('continues a remote trace, and is not recorded where the caller does not sample', () => {
    const tracer = tracerWith();
    const remote = (traceFlags: number) =>
      trace.setSpanContext(ROOT_CONTEXT, {
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: 'b7ad6b7169203331',
        traceFlags,
        isRemote: true,
      });
    start(tracer, remote(1)).end();
    start(tracer, remote(0)).end();
    assert.equal(kept().length, 1);
    assert.equal(Buffer.from(kept()[0]!.parentSpanId, 'base64').toString('hex'), 'b7ad6b7169203331');
  });

  it('is left to the general case where a sampler, an id generator, processors or narrow limits see spans', () => {
    const processor = { onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
    for (const options of [
      { sampler: new AlwaysOffSampler() },
      { idGenerator: { generateTraceId: () => '1'.repeat(32), generateSpanId: () => '1'.repeat(16) } },
      { spanProcessors: () => [processor] },
      { spanLimits: { ...spanLimits, attributeValueLengthLimit: 10 } },
      { spanLimits: { ...spanLimits, attributeCountLimit: 3 } },
    ]) {
      assert.equal(tracerWith(options).prepare(CONNECTION), undefined);
    }
  });
});
