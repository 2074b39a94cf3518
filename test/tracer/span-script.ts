/**
 * What a program may do with a tracer, as data: generated once, done to two providers.
 *
 * @module
 */
import {
  type Attributes,
  type AttributeValue,
  createTraceState,
  type Exception,
  INVALID_SPAN_CONTEXT,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  type TimeInput,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import fc from 'fast-check';

/** The mocked clock's first reading, in whole milliseconds. */
export const PERFORMANCE_START = 50_000_000;

type Operation =
  | { do: 'setAttribute'; key: string; value: AttributeValue }
  | { do: 'setAttributes'; attributes: Attributes }
  | { do: 'addEvent'; name: string; attributes: Attributes | TimeInput | undefined; time: TimeInput | undefined }
  | { do: 'addLinks'; links: Link[] }
  | { do: 'setStatus'; status: SpanStatus }
  | { do: 'updateName'; name: string }
  | { do: 'recordException'; exception: Exception; time: TimeInput | undefined }
  | { do: 'wait'; ms: number }
  | { do: 'checkpoint' }
  | { do: 'end'; time: TimeInput | undefined };

export interface ScriptedSpan {
  name: string;
  options: SpanOptions;
  /** A remote or foreign parent, or how many spans before is the parent's place, or none. */
  parent: SpanContext | number | undefined;
  operations: Operation[];
}

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  // Lone surrogates.
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0xd700, max: 0xe000 }), { maxLength: 6 })
      .map((units) => String.fromCharCode(...units)),
  },
  { weight: 1, arbitrary: fc.string({ minLength: 40, maxLength: 300 }) },
);

// '__proto__' cannot be a key of a plain object, which is what the SDK keeps attributes in.
const key = fc
  .oneof(fc.constantFrom('a', 'b', 'http.route', '', 'url.path'), text)
  .filter((candidate) => candidate !== '__proto__');

const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    -0,
    127,
    128,
    16383,
    16384,
    2 ** 31,
    2 ** 32,
    2 ** 35,
    2 ** 53,
    2 ** 62,
    2 ** 63,
    -(2 ** 63),
    -(2 ** 64),
    1e300,
  ),
);

const hole = fc.constantFrom(null, undefined);

export const attributeValue = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.array(fc.oneof(text, hole), { maxLength: 5 }),
  fc.array(fc.oneof(number, hole), { maxLength: 5 }),
  fc.array(fc.boolean(), { maxLength: 5 }),
) as fc.Arbitrary<AttributeValue>;

/** With what the API's types forbid. */
const looseValue = fc.oneof(
  { weight: 8, arbitrary: attributeValue },
  { weight: 1, arbitrary: fc.constantFrom(null, undefined, Symbol.iterator, 1n, {}, ['a', 1], [{}], () => 1) },
) as fc.Arbitrary<AttributeValue>;

export const attributes = fc.dictionary(key, looseValue, {
  maxKeys: 6,
  noNullPrototype: true,
}) as fc.Arbitrary<Attributes>;

const time: fc.Arbitrary<TimeInput | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 0, max: 4e9 }), fc.integer({ min: 0, max: 999_999_999 })) },
  { weight: 1, arbitrary: fc.integer({ min: 1_500_000_000_000, max: 3_500_000_000_000 }) },
  { weight: 1, arbitrary: fc.date({ min: new Date(1e12), max: new Date(3e12), noInvalidDate: true }) },
  // Readings of performance.now().
  { weight: 1, arbitrary: fc.integer({ min: PERFORMANCE_START - 1000, max: PERFORMANCE_START }) },
);

const traceId = fc.stringMatching(/^[0-9a-f]{31}[1-9a-f]$/);
const spanId = fc.stringMatching(/^[0-9a-f]{15}[1-9a-f]$/);

const spanContext: fc.Arbitrary<SpanContext> = fc.record(
  {
    traceId,
    spanId,
    traceFlags: fc.constantFrom(0, 1),
    isRemote: fc.boolean(),
    traceState: fc.constantFrom(undefined, createTraceState('vendor=1'), createTraceState('a=b,c=d')),
  },
  { requiredKeys: ['traceId', 'spanId', 'traceFlags'] },
);

const link: fc.Arbitrary<Link> = fc.record(
  { context: spanContext, attributes },
  { requiredKeys: ['context'], noNullPrototype: true },
);

const exception = fc.oneof(
  text,
  fc.record(
    { name: text, message: text, stack: text, code: fc.oneof(text, fc.integer()) },
    { requiredKeys: ['message'], noNullPrototype: true },
  ),
  fc.record({ code: fc.integer() }, { noNullPrototype: true }),
  fc.constant({}),
  fc.constant(new TypeError('bad')),
) as fc.Arbitrary<Exception>;

const status = fc.record(
  { code: fc.constantFrom(0, 1, 2), message: fc.oneof(text, fc.constant(5 as unknown as string)) },
  { requiredKeys: ['code'], noNullPrototype: true },
) as fc.Arbitrary<SpanStatus>;

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ do: fc.constant('setAttribute' as const), key, value: looseValue }),
  fc.record({ do: fc.constant('setAttributes' as const), attributes }),
  fc.record({ do: fc.constant('addEvent' as const), name: text, attributes: fc.oneof(attributes, time), time }),
  fc.record({ do: fc.constant('addLinks' as const), links: fc.array(link, { maxLength: 3 }) }),
  fc.record({ do: fc.constant('setStatus' as const), status }),
  fc.record({ do: fc.constant('updateName' as const), name: text }),
  fc.record({ do: fc.constant('recordException' as const), exception, time }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 100_000 }) }),
  fc.record({ do: fc.constant('checkpoint' as const) }),
  fc.record({ do: fc.constant('end' as const), time }),
);

const scriptedSpan: fc.Arbitrary<ScriptedSpan> = fc.record({
  name: text,
  options: fc.record(
    {
      kind: fc.constantFrom(0, 1, 2, 3, 4),
      attributes,
      links: fc.array(link, { maxLength: 3 }),
      startTime: time,
      root: fc.boolean(),
    },
    { requiredKeys: [], noNullPrototype: true },
  ) as fc.Arbitrary<SpanOptions>,
  parent: fc.oneof(
    fc.constant(undefined),
    fc.constant(INVALID_SPAN_CONTEXT),
    spanContext,
    fc.integer({ min: 1, max: 3 }),
  ),
  operations: fc.array(operation, { maxLength: 12 }),
});

export const script = fc.array(scriptedSpan, { minLength: 1, maxLength: 4 });

/** Whether a time is given as a reading of `performance.now()`. */
export function usesReadings(steps: readonly ScriptedSpan[]): boolean {
  const isReading = (time: unknown) => typeof time === 'number' && time <= PERFORMANCE_START;
  return steps.some(
    ({ options, operations }) =>
      isReading(options.startTime) ||
      operations.some((operation) => {
        return (
          ('time' in operation && isReading(operation.time)) ||
          ('attributes' in operation && isReading(operation.attributes))
        );
      }),
  );
}

/** Does it all. `started` is told of each span before the next one starts. */
export function run(
  steps: readonly ScriptedSpan[],
  tracer: Tracer,
  wait: (ms: number) => void,
  starting: (index: number) => void,
): Span[] {
  const spans: Span[] = [];
  for (const [index, step] of steps.entries()) {
    starting(index);
    const { parent } = step;
    let context = ROOT_CONTEXT;
    if (typeof parent === 'number') {
      if (spans.length >= parent) context = trace.setSpan(context, spans[spans.length - parent]!);
    } else if (parent !== undefined) {
      context = trace.setSpanContext(context, parent);
    }
    const span = tracer.startSpan(step.name, structuredOptions(step.options), context);
    spans.push(span);
    for (const operation of step.operations) perform(span, operation, wait);
  }
  // What has no end of its own.
  for (const span of spans) {
    wait(1);
    if (span.isRecording()) span.end();
  }
  return spans;
}

/** A copy: samplers and spans may keep what they are given. */
function structuredOptions(options: SpanOptions): SpanOptions {
  return { ...options, ...(options.attributes && { attributes: { ...options.attributes } }) };
}

function perform(span: Span, operation: Operation, wait: (ms: number) => void): void {
  switch (operation.do) {
    case 'setAttribute':
      span.setAttribute(operation.key, operation.value);
      break;
    case 'setAttributes':
      span.setAttributes(operation.attributes);
      break;
    case 'addEvent':
      span.addEvent(operation.name, operation.attributes as Attributes, operation.time);
      break;
    case 'addLinks':
      span.addLinks(operation.links);
      break;
    case 'setStatus':
      span.setStatus(operation.status);
      break;
    case 'updateName':
      span.updateName(operation.name);
      break;
    case 'recordException':
      span.recordException(operation.exception, operation.time);
      break;
    case 'wait':
      wait(operation.ms);
      break;
    case 'checkpoint':
      (span as { checkpoint?(): void }).checkpoint?.();
      break;
    case 'end':
      span.end(operation.time);
      break;
  }
}
