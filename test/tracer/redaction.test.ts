/** Every way in which a span processor can change what leaves the process, against the SDK. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import {
  type Attributes,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { SpanProcessorParts } from '#src/config/types.js';
import { JournalTracerProvider } from '#src/tracer/provider.js';
import { byId, defaultLimits, exported, resource, Time } from './compared-spans.js';
import { decodeScopeSpans } from './decoded-spans.js';
import { MemorySpanLog } from './memory-span-log.js';

const SECRET = '4111-1111-1111-1111';

/** Plain, and writable: what the API's types forbid and programs do. */
type Writable = { -readonly [Key in keyof ReadableSpan]: ReadableSpan[Key] };

const clean = (attributes: Attributes = {}): Attributes =>
  Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, value === SECRET ? 'redacted' : value]));
const cleanName = (name: string) => name.replace(SECRET, 'redacted');
const cleanEvents = (span: ReadableSpan) =>
  span.events.map((event) => ({ ...event, name: cleanName(event.name), attributes: clean(event.attributes) }));
const cleanLinks = (span: ReadableSpan) => span.links.map((link) => ({ ...link, attributes: clean(link.attributes) }));
const cleanParts = (span: ReadableSpan) => ({
  name: cleanName(span.name),
  attributes: clean(span.attributes),
  events: cleanEvents(span),
  links: cleanLinks(span),
});

/** Changes the span itself. */
const inPlace: Record<string, (span: Writable) => void> = {
  'assignment to attributes, events, links and name': (span) => {
    span.attributes = clean(span.attributes);
    span.events = cleanEvents(span);
    span.links = cleanLinks(span);
    span.name = cleanName(span.name);
  },
  'Object.assign to the span': (span) => {
    Object.assign(span, cleanParts(span));
  },
  'edits in place': (span) => {
    Object.assign(span.attributes, clean(span.attributes));
    for (const event of span.events) {
      event.name = cleanName(event.name);
      Object.assign(event.attributes!, clean(event.attributes));
    }
    for (const link of span.links) Object.assign(link.attributes ?? {}, clean(link.attributes));
    span.name = cleanName(span.name);
  },
  'deletion and emptying': (span) => {
    for (const key of Object.keys(span.attributes)) delete (span.attributes as Record<string, unknown>)[key];
    span.events.length = 0;
    span.links.length = 0;
    span.name = 'redacted';
  },
  'a defined property': (span) => {
    const parts = cleanParts(span);
    for (const [key, value] of Object.entries(parts)) Object.defineProperty(span, key, { get: () => value });
  },
};

/** Reaches further, by whatever the SDK's spans allow: each is a processor's methods. */
const otherwise: Record<string, Partial<Record<'onStart' | 'onEnding' | 'onEnd', (span: Any) => void>>> = {
  "the span's own methods": {
    onEnding(span) {
      span.setAttributes({ 'card.number': 'redacted', card: 'redacted' }).updateName('redacted');
      span.setStatus({ code: 2, message: 'redacted' });
      span.events = [];
      span.links = [];
    },
  },
  'a method replaced at the start': {
    onStart(span) {
      const { setAttribute } = span;
      span.setAttribute = function (key: string, value: unknown) {
        return setAttribute.call(this, key, value === SECRET ? 'redacted' : value);
      };
      span.attributes = {};
    },
    onEnd: (span) => Object.assign(span, { name: 'redacted', events: [], links: [] }),
  },
  'another status, kind and scope': {
    onEnd: (span) =>
      Object.assign(span, cleanParts(span), {
        status: { code: 2, message: 'redacted' },
        kind: 3,
        instrumentationScope: { name: 'redacted', version: '2' },
      }),
  },
  'edits of its status and scope': {
    onEnd(span) {
      Object.assign(span, cleanParts(span));
      span.status.message = 'redacted';
      span.instrumentationScope = { ...span.instrumentationScope, version: '3' };
    },
  },
  'other ids': {
    onEnd(span) {
      Object.assign(span, cleanParts(span));
      const { traceFlags } = span.spanContext();
      const last = span.name === 'child' ? 'c' : 'd';
      span.spanContext = () => ({ traceId: last.repeat(32), spanId: last.repeat(16), traceFlags });
    },
  },
  'a proxy of its attributes': {
    onEnd(span) {
      const attributes = span.attributes as Attributes;
      Object.assign(span, cleanParts(span));
      span.attributes = new Proxy(attributes, {
        get: (target, key) => (target[key as string] === SECRET ? 'redacted' : target[key as string]),
      });
    },
  },
  'getters and hidden properties': {
    onEnd(span) {
      const { attributes } = span;
      Object.assign(span, { ...cleanParts(span), attributes });
      for (const key of Object.keys(attributes)) {
        if (key === 'card') Object.defineProperty(attributes, key, { get: () => 'redacted' });
        if (key === 'card.number') Object.defineProperty(attributes, key, { enumerable: false });
      }
    },
  },
  'another prototype, and freezing it': {
    onEnd(span) {
      Object.assign(span, cleanParts(span));
      const context = span.spanContext();
      Object.setPrototypeOf(span, { ...droppedNothing, spanContext: () => context });
      Object.freeze(span);
    },
  },
};
/** What the SDK's spans have on their prototype. */
const droppedNothing = { droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 };
// biome-ignore lint/suspicious/noExplicitAny: programs in JavaScript
type Any = any;

/** Makes another one. */
const copying: Record<string, (span: ReadableSpan) => ReadableSpan> = {
  spread: (span) => ({ ...span, ...cleanParts(span), spanContext: () => span.spanContext() }) as ReadableSpan,
  'Object.assign(Object.create(prototype), span)': (span) =>
    Object.assign(Object.create(Object.getPrototypeOf(span)), span, cleanParts(span)),
  'Object.create(span)': (span) => {
    const copy = Object.create(span);
    for (const [key, value] of Object.entries(cleanParts(span))) Object.defineProperty(copy, key, { value });
    return copy;
  },
  'assignment to an Object.create(span)': (span) => Object.assign(Object.create(span), cleanParts(span)),
  Proxy: (span) => {
    const parts: Record<string | symbol, unknown> = cleanParts(span);
    return new Proxy(span, { get: (target, key) => (key in parts ? parts[key] : Reflect.get(target, key)) });
  },
  'Proxy that is the receiver': (span) => {
    const parts: Record<string | symbol, unknown> = cleanParts(span);
    return new Proxy(span, {
      get: (target, key, receiver) => (key in parts ? parts[key] : Reflect.get(target, key, receiver)),
    });
  },
  'a literal with every field': (span) => ({
    ...cleanParts(span),
    kind: span.kind,
    spanContext: () => span.spanContext(),
    parentSpanContext: span.parentSpanContext,
    startTime: span.startTime,
    endTime: span.endTime,
    status: span.status,
    duration: span.duration,
    ended: span.ended,
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  }),
  'a deep copy': (span) => {
    const { kind, startTime, endTime, status, parentSpanContext, instrumentationScope } = span;
    const data = structuredClone({ kind, startTime, endTime, status, parentSpanContext, instrumentationScope });
    const context = structuredClone({ ...span.spanContext(), traceState: undefined });
    return { ...data, ...structuredClone(cleanParts(span)), resource, spanContext: () => context } as ReadableSpan;
  },
};

/** Tells the processors after it. */
class Redacting implements SpanProcessor {
  constructor(
    readonly when: 'onEnding' | 'onEnd',
    readonly redact: (span: Writable) => void,
  ) {}
  onStart(): void {}
  onEnding(span: Span): void {
    if (this.when === 'onEnding') this.redact(span as unknown as Writable);
  }
  onEnd(span: ReadableSpan): void {
    if (this.when === 'onEnd') this.redact(span);
  }
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

/** Hands a copy to the processor that it wraps. */
class Wrapping implements SpanProcessor {
  constructor(
    readonly inner: SpanProcessor,
    readonly copy: (span: ReadableSpan) => ReadableSpan,
  ) {}
  onStart(...args: Parameters<SpanProcessor['onStart']>): void {
    this.inner.onStart(...args);
  }
  onEnd(span: ReadableSpan): void {
    this.inner.onEnd(this.copy(span));
  }
  forceFlush = () => this.inner.forceFlush();
  shutdown = () => this.inner.shutdown();
}

function wrapping(inner: SpanExporter, copy: (span: ReadableSpan) => ReadableSpan): SpanExporter {
  return {
    export: (spans, done) => inner.export(spans.map(copy), done),
    shutdown: () => inner.shutdown(),
  };
}

/** The same ids for each provider. */
function ids() {
  let drawn = 0;
  return {
    generateTraceId: () => (++drawn).toString(16).padStart(32, 'a'),
    generateSpanId: () => (++drawn).toString(16).padStart(16, 'b'),
  };
}

/** A root and its child, with secrets in every part. */
function program(provider: { getTracer(name: string): ReturnType<BasicTracerProvider['getTracer']> }): void {
  const tracer = provider.getTracer('cart');
  const context = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
  const attributes = { 'card.number': SECRET, amount: 12.5, items: ['a', 'b'] };
  const root = tracer.startSpan(`pay ${SECRET}`, { attributes, links: [{ context, attributes }] }, ROOT_CONTEXT);
  const child = tracer.startSpan('child', { kind: 2 }, trace.setSpan(ROOT_CONTEXT, root));
  for (const span of [child, root]) {
    span.setAttribute('card', SECRET).addEvent(`paid ${SECRET}`, { number: SECRET, ok: true });
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'no' });
    span.end();
  }
}

function fromSdk(chain: (end: SpanProcessor) => SpanProcessor[], exporter = new InMemorySpanExporter()) {
  program(
    new BasicTracerProvider({
      resource,
      idGenerator: ids(),
      spanProcessors: chain(new SimpleSpanProcessor(exporter)),
    }),
  );
  return exported(exporter.getFinishedSpans());
}

function fromJournal(chain: (parts: SpanProcessorParts) => SpanProcessor[]) {
  const spanLog = new MemorySpanLog();
  program(
    new JournalTracerProvider({
      resource,
      spanLimits: defaultLimits,
      idGenerator: ids(),
      spanLog,
      spanProcessors: chain,
    }),
  );
  assert.deepEqual(spanLog.entries.filter(Boolean), [], 'an ended span is in the in-flight table');
  return byId(decodeScopeSpans(spanLog.chunks));
}

/** What an exporter that the program has built itself is given, beside the journal. */
function fromOurSpans(chain: (end: SpanProcessor) => SpanProcessor[]) {
  const exporter = new InMemorySpanExporter();
  fromJournal(() => chain(new SimpleSpanProcessor(exporter)));
  return exported(exporter.getFinishedSpans());
}

const hasSecret = (spans: object) => JSON.stringify(spans).includes(SECRET);

describe('a span processor that redacts', () => {
  for (const [way, redact] of Object.entries(inPlace)) {
    for (const when of ['onEnding', 'onEnd'] as const) {
      it(`by ${way} in ${when} has the redacted span kept, as with the SDK`, (t) => {
        new Time(t);
        const sdk = fromSdk((end) => [new Redacting(when, redact), end]);
        const ours = fromJournal(() => [new Redacting(when, redact)]);
        assert.equal(Object.keys(ours).length, 2);
        assert.equal(hasSecret(ours), false);
        assert.deepEqual(ours, sdk);
        assert.deepEqual(
          fromOurSpans((end) => [new Redacting(when, redact), end]),
          sdk,
        );
      });
    }
  }

  for (const [way, methods] of Object.entries(otherwise)) {
    it(`by ${way} has the redacted span kept, as with the SDK`, (t) => {
      new Time(t);
      const processor = Object.assign(new Redacting('onEnd', () => {}), methods);
      const sdk = fromSdk((end) => [processor, end]);
      const ours = fromJournal(() => [processor]);
      assert.equal(Object.keys(ours).length, 2);
      assert.equal(hasSecret(ours), false);
      assert.deepEqual(ours, sdk);
    });
  }

  it('and freezes the span before its end loses nothing: it is kept, and no longer in flight', () => {
    const freeze = (span: Writable) => void Object.freeze(Object.assign(span, cleanParts(span)));
    const ours = fromJournal(() => [new Redacting('onEnding', freeze)]);
    assert.equal(Object.keys(ours).length, 2);
    assert.equal(hasSecret(ours), false);
  });

  for (const [way, copy] of Object.entries(copying)) {
    it(`by ${way} has what it hands on kept, as with the SDK`, (t) => {
      new Time(t);
      const sdk = fromSdk((end) => [new Wrapping(end, copy)]);
      const ours = fromJournal(({ pipeline }) => [new Wrapping(pipeline, copy)]);
      assert.equal(Object.keys(ours).length, 2);
      assert.equal(hasSecret(ours), false);
      assert.deepEqual(ours, sdk);
    });

    it(`by ${way} gives an exporter of its own what the SDK's spans give it`, (t) => {
      new Time(t);
      const sdk = fromSdk((end) => [new Wrapping(end, copy)]);
      assert.deepEqual(
        fromOurSpans((end) => [new Wrapping(end, copy)]),
        sdk,
      );
      const exporter = new InMemorySpanExporter();
      fromJournal(() => [new SimpleSpanProcessor(wrapping(exporter, copy))]);
      assert.deepEqual(exported(exporter.getFinishedSpans()), sdk);
    });
  }

  it('works in a row with others, each of which sees what the one before it left', (t) => {
    new Time(t);
    const seen: string[] = [];
    const [assign, edit] = [
      inPlace['assignment to attributes, events, links and name']!,
      (span: Writable) => {
        seen.push(span.name, String(span.attributes['card.number'] ?? span.attributes.card));
        span.attributes = { ...span.attributes, second: true };
      },
    ];
    const chain = [new Redacting('onEnding', assign), new Redacting('onEnd', edit)];
    const sdk = fromSdk((end) => [...chain, end]);
    const ours = fromJournal(() => chain);
    assert.deepEqual(ours, sdk);
    assert.deepEqual(seen.slice(4), seen.slice(0, 4));
    const copies = (end: SpanProcessor) => new Wrapping(new Wrapping(end, copying.Proxy!), copying.spread!);
    assert.deepEqual(
      fromJournal(({ pipeline }) => [new Redacting('onEnd', edit), copies(pipeline)]),
      fromSdk((end) => [new Redacting('onEnd', edit), copies(end)]),
    );
  });

  it('keeps a copy that has no methods at all', () => {
    const ours = fromJournal(({ pipeline }) => [new Wrapping(pipeline, (span) => ({ ...span }) as ReadableSpan)]);
    assert.equal(Object.keys(ours).length, 2);
  });

  it('leaves a span out that it does not hand on, of the in-flight table too', () => {
    const spanLog = new MemorySpanLog();
    const filter = (pipeline: SpanProcessor): SpanProcessor => ({
      onStart: (span, context) => pipeline.onStart(span, context),
      onEnd: (span) => {
        if (span.name === 'child') pipeline.onEnd(span);
      },
      forceFlush: () => pipeline.forceFlush(),
      shutdown: () => pipeline.shutdown(),
    });
    const provider = new JournalTracerProvider({
      resource,
      spanLimits: defaultLimits,
      spanLog,
      spanProcessors: ({ pipeline }) => [filter(pipeline)],
    });
    program(provider);
    const [kept] = decodeScopeSpans(spanLog.chunks);
    assert.deepEqual(
      kept!.spans.map(({ name }) => name),
      ['child'],
    );
    assert.equal(spanLog.dropped, 1);
    assert.deepEqual(spanLog.entries.filter(Boolean), []);
  });

  it('has nothing of what it would redact in the in-flight table, whose spans no processor sees', () => {
    const spanLog = new MemorySpanLog();
    const provider = new JournalTracerProvider({
      resource,
      spanLimits: defaultLimits,
      spanLog,
      spanProcessors: () => [new Redacting('onEnd', inPlace['edits in place']!)],
    });
    const attributes = { 'card.number': SECRET, 'http.request.method': 'POST', 'url.query': SECRET };
    const span = provider.getTracer('cart').startSpan('POST', { kind: 1, attributes }, ROOT_CONTEXT);
    span.setAttributes({ 'http.route': '/pay', card: SECRET });
    (span as unknown as { checkpoint(): void }).checkpoint();
    const entry = spanLog.entries[0]!.span.toString('latin1');
    assert.equal(entry.includes(SECRET), false);
    assert.ok(entry.includes('http.request.method') && entry.includes('/pay'));
    span.end();
  });
});

describe('a span that a program looks at', () => {
  it('takes assignments to its fields without processors, too', () => {
    const spanLog = new MemorySpanLog();
    const provider = new JournalTracerProvider({ resource, spanLimits: defaultLimits, spanLog });
    const tracer = provider.getTracer('cart');
    for (const [way, redact] of Object.entries(inPlace)) {
      const root = tracer.startSpan(`root ${way}`, { root: true });
      for (const context of [ROOT_CONTEXT, trace.setSpan(ROOT_CONTEXT, root)]) {
        const span = tracer.startSpan(`pay ${SECRET}`, { attributes: { 'card.number': SECRET } }, context);
        span.addEvent(`paid ${SECRET}`, { number: SECRET });
        redact(span as unknown as Writable);
        span.end();
      }
    }
    const kept = decodeScopeSpans(spanLog.chunks);
    assert.equal(kept.flatMap(({ spans }) => spans).length, 2 * Object.keys(inPlace).length);
    assert.equal(hasSecret(kept), false);
  });

  it('works behind a proxy, as a parent and to its end', () => {
    const spanLog = new MemorySpanLog();
    const processor = new Redacting('onEnd', () => {});
    for (const spanProcessors of [undefined, () => [processor]]) {
      const provider = new JournalTracerProvider({ resource, spanLimits: defaultLimits, spanLog, spanProcessors });
      const tracer = provider.getTracer('cart');
      const proxied = new Proxy(tracer.startSpan('proxied', {}, ROOT_CONTEXT), {});
      const child = tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, proxied));
      assert.equal(child.spanContext().traceId, proxied.spanContext().traceId);
      child.end();
      proxied.setAttribute('a', 1).addEvent('e').updateName('renamed').end();
      const kept = decodeScopeSpans(spanLog.chunks).flatMap(({ spans }) => spans);
      assert.deepEqual(
        kept.slice(-2).map(({ name, attributes }) => [name, attributes.length]),
        [
          ['child', 0],
          ['renamed', 1],
        ],
      );
      assert.equal(kept.at(-2)!.parentSpanId, kept.at(-1)!.spanId);
    }
  });

  it('is shown by util.inspect with its data, and without its tracer', () => {
    for (const spanProcessors of [undefined, () => [new Redacting('onEnd', () => {})]]) {
      const provider = new JournalTracerProvider({ resource, spanLimits: defaultLimits, spanProcessors });
      const span = provider.getTracer('cart').startSpan('pay', { attributes: { amount: 12 } }, ROOT_CONTEXT);
      const shown = inspect(span);
      assert.match(shown, /Span \{/);
      assert.match(shown, /name: 'pay'/);
      assert.match(shown, /amount: 12/);
      assert.match(shown, new RegExp(span.spanContext().traceId));
      assert.doesNotMatch(shown, /pipeline|processors|undefined \{/);
      assert.ok(shown.split('\n').length < 60, shown);
      assert.match(inspect({ deep: { er: { still: { span } } } }), /\[\w+Span\]|\[Object\]/);
      span.end();
    }
  });

  it('is shown, as are tracers and providers, without asking for resource attributes that are still promises', async (t) => {
    const logged: string[] = [];
    const log = (message: string) => void logged.push(message);
    diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log }, DiagLogLevel.ALL);
    t.after(() => diag.disable());
    logged.length = 0;
    const detected = resourceFromAttributes({ 'cloud.region': Promise.resolve('eu'), 'service.name': 'cart' });
    class Audit extends Redacting {}
    const spanProcessors = () => [new Audit('onEnd', () => {})];
    const provider = new JournalTracerProvider({ resource: detected, spanLimits: defaultLimits, spanProcessors });
    const tracer = provider.getTracer('cart', '1.2.3');
    const span = tracer.startSpan('pay', {}, ROOT_CONTEXT);
    for (const [of, parts] of [
      [span, [/name: 'pay'/, /'service.name': 'cart'/]],
      [tracer, [/name: 'cart'/, /version: '1.2.3'/, /attributeCountLimit: 128/, /'service.name': 'cart'/]],
      [provider, [/'cart@1.2.3:'/, /'Audit'/, /'service.name': 'cart'/]],
    ] as const) {
      const shown = inspect(of);
      for (const part of parts) assert.match(shown, part);
      assert.doesNotMatch(shown, /cloud.region|pipeline|Buffer/);
      assert.ok(shown.split('\n').length < 60, shown);
      assert.equal(
        inspect({ a: { b: { c: { of } } } }, { depth: 3 }),
        `{\n  a: { b: { c: { of: [${of.constructor.name}] } } }\n}`,
      );
    }
    assert.deepEqual(logged, []);
    span.end();
    await detected.waitForAsyncAttributes?.();
  });
});
