/** Whatever a program passes, nothing is thrown, nothing hangs, and every message can be decoded. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Attributes,
  type Context,
  DiagLogLevel,
  diag,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type SpanStatus,
  type Tracer,
  type TraceState,
  trace,
} from '@opentelemetry/api';
import { BasicTracerProvider, type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import fc from 'fast-check';
import { JournalTracerProvider, type JournalTracerProviderOptions } from '#src/tracer/provider.js';
import { byId, Collected, defaultLimits, exported, resource, Time } from './compared-spans.js';
import { type DecodedSpan, decodeScopeSpans } from './decoded-spans.js';
import { MemorySpanLog } from './memory-span-log.js';

const cyclic: Record<string, unknown> = { a: 1 };
cyclic.self = cyclic;
cyclic.list = [cyclic, [cyclic]];

const throwing = () =>
  new Proxy(
    {},
    {
      get(_, key) {
        if (key === fc.toStringMethod) return () => 'a proxy whose traps throw';
        throw new Error('get');
      },
      has: (_, key) => key === fc.toStringMethod,
      ownKeys() {
        throw new Error('ownKeys');
      },
      getPrototypeOf() {
        throw new Error('getPrototypeOf');
      },
    },
  );

const numbers = [-1, 0, 1, 2, 3, 5, 200, 2 ** 31, 2 ** 53, 1e300, -1e300, 0.5, -0];
const notFinite = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];

/** Any value at all. */
const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...numbers,
    ...notFinite,
    undefined,
    null,
    '',
    'text',
    'x'.repeat(70_000),
    '\ud800',
    true,
    10n,
    2n ** 100n,
    Symbol('s'),
    Symbol.iterator,
    () => 1,
    class {},
    [],
    [[[]]],
    [1, 'a', null],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 0],
    [1, Number.POSITIVE_INFINITY],
    [-5, 3],
    // biome-ignore lint/suspicious/noSparseArray: programs have them
    [1, , 2],
    {},
    cyclic,
    Object.create(null),
    new Map([['a', 1]]),
    new Set([1]),
    new Date(0),
    new Date(Number.NaN),
    new Uint8Array([1, 2]),
    new Error('no'),
    Promise.resolve(),
    { toString: null },
    {
      toString() {
        throw new Error('toString');
      },
    },
    {
      get code() {
        throw new Error('code');
      },
      get attributes() {
        throw new Error('attributes');
      },
      get context() {
        throw new Error('context');
      },
    },
    throwing(),
  ),
  fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, maxDepth: 2 }),
);

const mostlyContext = fc.oneof(
  anything,
  fc.record({
    traceId: fc.oneof(fc.constant('0af7651916cd43dd8448eb211c80319c'), anything),
    spanId: fc.oneof(fc.constant('b7ad6b7169203331'), anything),
    traceFlags: fc.oneof(fc.constant(1), anything),
    traceState: fc.oneof(anything, fc.constant({ serialize: () => 'a=b' })),
    isRemote: anything,
  }),
);
const mostlyLink = fc.oneof(anything, fc.record({ context: mostlyContext, attributes: anything }));
const mostlyAttributes = fc.oneof(anything, fc.dictionary(fc.string({ maxLength: 5 }), anything, { maxKeys: 4 }));

type Call = { method: string; args: unknown[] };
const call = (method: string, ...args: fc.Arbitrary<unknown>[]): fc.Arbitrary<Call> =>
  fc.tuple(...args).map((values) => ({ method, args: values }));

const anyCall: fc.Arbitrary<Call> = fc.oneof(
  call('setAttribute', anything, anything),
  call('setAttribute', fc.string(), anything),
  call('setAttributes', mostlyAttributes),
  call('addEvent', anything, mostlyAttributes, anything),
  call('addEvent', fc.string(), anything, anything),
  call('addLink', mostlyLink),
  call('addLinks', fc.oneof(anything, fc.array(mostlyLink, { maxLength: 3 }))),
  call('setStatus', fc.oneof(anything, fc.record({ code: anything, message: anything }))),
  call('updateName', anything),
  call(
    'recordException',
    fc.oneof(anything, fc.record({ code: anything, name: anything, message: anything })),
    anything,
  ),
  call('checkpoint'),
  call('end', anything),
);

/** Assigned to the span, as processors do, or by a program that reaches into it. */
const assignment = fc.tuple(
  fc.constantFrom('name', 'kind', 'attributes', 'events', 'links', 'status', 'startTime', 'endTime'),
  fc.oneof(
    anything,
    mostlyAttributes,
    fc.array(mostlyLink, { maxLength: 2 }),
    fc.array(
      fc.record({ name: anything, time: anything, attributes: mostlyAttributes, droppedAttributesCount: anything }),
      { maxLength: 2 },
    ),
    fc.record({ code: anything, message: anything }),
  ),
);

const options = fc.oneof(
  { weight: 1, arbitrary: anything },
  {
    weight: 4,
    arbitrary: fc.record(
      {
        kind: anything,
        attributes: mostlyAttributes,
        links: fc.oneof(anything, fc.array(mostlyLink, { maxLength: 2 })),
        startTime: anything,
        root: anything,
      },
      { requiredKeys: [] },
    ),
  },
);

const program = fc.record({
  name: anything,
  options,
  parent: mostlyContext,
  calls: fc.array(anyCall, { maxLength: 8 }),
  assignments: fc.array(assignment, { maxLength: 3 }),
});

const SETTINGS = [
  'plain',
  'sampler',
  'processor',
  'assigning processor',
  'failing parts',
  'parts that are async by mistake',
] as const;
type Setting = (typeof SETTINGS)[number];

function providerFor(setting: Setting, spanLog: MemorySpanLog, assignments: [string, unknown][]) {
  const common: JournalTracerProviderOptions = { resource, spanLimits: defaultLimits, spanLog };
  const processor: SpanProcessor = { onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
  const onEnd = (span: ReadableSpan) => assign(span, assignments);
  switch (setting) {
    case 'plain':
      return new JournalTracerProvider(common);
    case 'sampler':
      return new JournalTracerProvider({ ...common, sampler: { shouldSample: () => ({ decision: 2 }) } });
    case 'processor':
      return new JournalTracerProvider({ ...common, spanProcessors: () => [processor] });
    case 'assigning processor':
      return new JournalTracerProvider({ ...common, spanProcessors: () => [{ ...processor, onEnd }] });
    case 'failing parts':
    case 'parts that are async by mistake': {
      // A rejection that nobody handles fails the test.
      const fail = ((): unknown => {
        if (setting !== 'failing parts') return Promise.reject(new Error('rejects'));
        throw new Error('fails');
      }) as () => never;
      return new JournalTracerProvider({
        ...common,
        sampler: { shouldSample: fail },
        idGenerator: { generateSpanId: fail, generateTraceId: fail },
        spanProcessors: () => [{ ...processor, onStart: fail, onEnding: fail, onEnd: fail }],
      });
    }
  }
}

function assign(span: object, assignments: [string, unknown][]): void {
  for (const [key, value] of assignments) (span as Record<string, unknown>)[key] = value;
}

function all(spanLog: MemorySpanLog): DecodedSpan[] {
  return decodeScopeSpans(spanLog.chunks).flatMap(({ spans }) => spans);
}

describe('a tracer and its spans', () => {
  it('throw nothing and keep every span decodable, whatever they are given', () => {
    fc.assert(
      fc.property(
        program,
        fc.constantFrom(...SETTINGS),
        fc.boolean(),
        ({ name, options, parent, calls, assignments }, setting, isRoot) => {
          const spanLog = new MemorySpanLog(16, 512);
          const tracer = providerFor(setting, spanLog, assignments).getTracer('t');
          const good = tracer.startSpan('good', { attributes: { a: 1 } }, ROOT_CONTEXT);
          const context = isRoot
            ? trace.setSpanContext(ROOT_CONTEXT, parent as SpanContext)
            : trace.setSpan(ROOT_CONTEXT, good);
          const span = tracer.startSpan(name as string, options as SpanOptions, context);
          for (const { method, args } of calls) {
            (span as unknown as Record<string, (...args: unknown[]) => unknown>)[method]?.(...args);
          }
          if (setting === 'plain' || setting === 'sampler') {
            try {
              assign(span, assignments);
            } catch {
              // Span contexts that are not recorded have nothing to assign to.
            }
          }
          span.end();
          const sibling = tracer.startSpan('sibling', {}, trace.setSpan(ROOT_CONTEXT, good));
          sibling.end();
          good.end();
          const kept = all(spanLog);
          const isNamed = (wanted: string) => kept.some((one) => one.name === wanted);
          if (setting !== 'assigning processor') assert.ok(isNamed('good') && isNamed('sibling'));
          assert.deepEqual(spanLog.entries.filter(Boolean), []);
          for (const one of kept) {
            assert.equal(Buffer.from(one.traceId, 'base64').length, 16);
            assert.equal(Buffer.from(one.spanId, 'base64').length, 8);
            assert.ok(one.kind >= 1 && one.kind <= 5, `kind ${one.kind}`);
            assert.ok((one.status?.code ?? 0) <= 2);
            for (const link of one.links as { traceId: string; spanId: string }[]) {
              assert.equal(Buffer.from(link.traceId, 'base64').length, 16);
              assert.equal(Buffer.from(link.spanId, 'base64').length, 8);
            }
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('keep 100 spans of a request one of whose siblings is bad in every way', () => {
    const bad: ((tracer: Tracer, parent: Context) => void)[] = [
      (tracer, parent) =>
        tracer
          .startSpan('bad', {}, parent)
          .setStatus({ code: -1 as 1 })
          .end(),
      (tracer, parent) =>
        tracer
          .startSpan('bad', {}, parent)
          .setStatus({ code: Number.POSITIVE_INFINITY as 1 })
          .end(),
      (tracer, parent) => tracer.startSpan('bad', { kind: 200 as SpanKind }, parent).end(),
      (tracer, parent) => tracer.startSpan('bad', { links: null as unknown as Link[] }, parent).end(),
      (tracer, parent) => tracer.startSpan('bad', { links: [null as unknown as Link] }, parent).end(),
      (tracer, parent) =>
        tracer
          .startSpan('bad', {}, parent)
          .setAttribute(Symbol('k') as unknown as string, 1)
          .end(),
      (tracer, parent) =>
        tracer
          .startSpan('bad', {}, parent)
          .setAttribute(5 as unknown as string, 1)
          .end(),
      (tracer, parent) => tracer.startSpan(Symbol('bad') as unknown as string, {}, parent).end(),
      (tracer, parent) => tracer.startSpan('bad', { startTime: Number.NaN }, parent).end(new Date(Number.NaN)),
      (tracer, parent) => {
        const traceState = { serialize: () => assert.fail('serialize') } as unknown as TraceState;
        const context = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1, traceState };
        tracer.startSpan('bad', { links: [{ context }] }, parent).end();
      },
    ];
    for (const setting of ['plain', 'sampler', 'processor'] as const) {
      const spanLog = new MemorySpanLog();
      const tracer = providerFor(setting, spanLog, []).getTracer('t');
      const root = tracer.startSpan('request', {}, ROOT_CONTEXT);
      const parent = trace.setSpan(ROOT_CONTEXT, root);
      for (let i = 0; i < 100; i++) tracer.startSpan('good', {}, parent).end();
      for (const doBadly of bad) doBadly(tracer, parent);
      root.end();
      const kept = all(spanLog);
      assert.equal(kept.length, 101 + bad.length, setting);
      const numbered = kept.flatMap(({ attributes }) => attributes).find(({ key }) => key === '5');
      assert.equal(numbered?.value.intValue, '1');
    }
  });

  it('record what the SDK records of input that its types forbid and it takes', (t) => {
    new Time(t);
    const context = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
    const odd: ((span: Span) => void)[] = [
      (span) => span.setAttribute(5 as unknown as string, 'number'),
      (span) => span.setAttribute(Symbol('key') as unknown as string, 'symbol'),
      (span) => span.setAttributes({ [Symbol('key')]: 1, 7: 'seven' } as unknown as Attributes),
      (span) => span.setAttributes(null as unknown as Attributes),
      (span) => span.addEvent('e', null as unknown as Attributes),
      (span) => span.addLink({ context, attributes: null as unknown as Attributes }),
      (span) => span.setStatus({ code: 2, message: 7 } as unknown as SpanStatus),
      (span) => span.recordException({ message: '', code: 0 } as unknown as Error),
    ];
    const run = (tracer: Tracer) => {
      for (const use of odd) {
        const span = tracer.startSpan('odd', { links: undefined }, ROOT_CONTEXT);
        use(span);
        span.end();
      }
    };
    let drawn = 0;
    const idGenerator = {
      generateTraceId: () => (++drawn).toString(16).padStart(32, 'a'),
      generateSpanId: () => (++drawn).toString(16).padStart(16, 'b'),
    };
    const collected = new Collected();
    run(new BasicTracerProvider({ resource, idGenerator, spanProcessors: [collected] }).getTracer('t'));
    for (const spanProcessors of [undefined, () => [new Collected()]]) {
      drawn = 0;
      const spanLog = new MemorySpanLog();
      run(
        new JournalTracerProvider({
          resource,
          idGenerator,
          spanLog,
          spanLimits: defaultLimits,
          spanProcessors,
        }).getTracer('t'),
      );
      assert.deepEqual(byId(decodeScopeSpans(spanLog.chunks)), exported(collected.spans));
    }
  });

  it('go on when the logger of the API throws', (t) => {
    let isFailing = false;
    const fail = () => {
      if (isFailing) throw new Error('logger');
    };
    diag.setLogger({ error: fail, warn: fail, info: fail, debug: fail, verbose: fail }, DiagLogLevel.ALL);
    isFailing = true;
    t.after(() => {
      isFailing = false;
      diag.disable();
    });
    for (const setting of ['plain', 'processor'] as const) {
      const spanLog = new MemorySpanLog();
      const tracer = providerFor(setting, spanLog, []).getTracer('t');
      const span = tracer.startSpan('logged', { startTime: [5000, 0] }, ROOT_CONTEXT);
      span
        .setAttribute('', 1)
        .setAttribute('a', {} as never)
        .setStatus({ code: 9 as 1 });
      span.end([1, 0]);
      span.end();
      span.setAttribute('late', 1);
      assert.equal(all(spanLog).length, 1);
    }
  });
});

describe('a sampler', () => {
  it('that throws or decides nothing leaves the decision to the default', () => {
    const notSampled = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 0 };
    const failing = [
      () => assert.fail('sampler'),
      () => undefined,
      () => null,
      () => ({}),
      () => ({ decision: 7 }),
      () => ({ decision: '2' }),
      async () => ({ decision: 0 }),
      async () => assert.fail('later'),
      () => ({
        get decision() {
          return assert.fail('decision');
        },
      }),
      () => ({
        decision: 0,
        get traceState() {
          return assert.fail('trace state');
        },
      }),
      () => ({
        decision: 0,
        get attributes() {
          return assert.fail('attributes');
        },
      }),
      () => ({
        decision: 0,
        attributes: {
          get key() {
            return assert.fail('an attribute');
          },
        },
      }),
      undefined,
      'sampler',
    ];
    for (const shouldSample of failing) {
      const spanLog = new MemorySpanLog();
      const sampler = { shouldSample: shouldSample as never };
      const tracer = new JournalTracerProvider({ resource, spanLimits: defaultLimits, spanLog, sampler }).getTracer(
        't',
      );
      const root = tracer.startSpan('root', { kind: SpanKind.SERVER }, ROOT_CONTEXT);
      tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, root)).end();
      root.end();
      tracer.startSpan('not sampled', {}, trace.setSpanContext(ROOT_CONTEXT, notSampled)).end();
      assert.deepEqual(
        all(spanLog).map(({ name }) => name),
        ['child', 'root'],
      );
    }
  });

  it('may change what it is given and add what it likes, to the same effect as with the SDK', (t) => {
    new Time(t);
    const context = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
    const shouldSample: ((...args: never[]) => unknown)[] = [
      // biome-ignore lint/complexity/useMaxParams: the parameters of Sampler.shouldSample
      (_context, _traceId, _name, _kind, attributes: Attributes, links: Link[]) => {
        attributes.added = 1;
        delete attributes.given;
        links.length = 0;
        return { decision: 2 };
      },
      () => ({ decision: 2, attributes: { a: {}, b: null, c: [1, 'a'], '': 1, given: 2, [Symbol('s')]: 3 } }),
      () => ({ decision: 2, attributes: 'text' }),
      () => ({ decision: 2, attributes: ['item'] }),
      () => ({ decision: 2, attributes: null, traceState: null }),
      () => ({ decision: 1, attributes: { a: 1 } }),
    ];
    const run = (tracer: Tracer) => {
      const options = { attributes: { given: 1 }, links: [{ context }] };
      const root = tracer.startSpan('root', options, ROOT_CONTEXT);
      tracer.startSpan('child', options, trace.setSpan(ROOT_CONTEXT, root)).end();
      root.end();
    };
    let drawn = 0;
    const idGenerator = {
      generateTraceId: () => (++drawn).toString(16).padStart(32, 'a'),
      generateSpanId: () => (++drawn).toString(16).padStart(16, 'b'),
    };
    for (const each of shouldSample) {
      const sampler = { shouldSample: each as never };
      drawn = 0;
      const collected = new Collected();
      run(new BasicTracerProvider({ resource, idGenerator, sampler, spanProcessors: [collected] }).getTracer('t'));
      for (const spanProcessors of [undefined, () => [new Collected()]]) {
        drawn = 0;
        const spanLog = new MemorySpanLog();
        const common = { resource, spanLimits: defaultLimits, spanLog, sampler, idGenerator, spanProcessors };
        run(new JournalTracerProvider(common).getTracer('t'));
        assert.deepEqual(byId(decodeScopeSpans(spanLog.chunks)), exported(collected.spans));
      }
    }
  });

  it('whose trace state is none has it left out, so that context can be passed on', () => {
    for (const traceState of ['a=b', {}, 5, { serialize: 'a=b' }]) {
      const sampler = { shouldSample: () => ({ decision: 2, traceState: traceState as never }) };
      const spanLog = new MemorySpanLog();
      const common = { resource, spanLimits: defaultLimits, spanLog, sampler };
      const span = new JournalTracerProvider(common).getTracer('t').startSpan('root', {}, ROOT_CONTEXT);
      assert.equal(span.spanContext().traceState, undefined);
      span.end();
      assert.equal(all(spanLog).length, 1);
    }
  });
});
