/** OTLP/JSON of any content, for properties that hold for all of it. */
import fc from 'fast-check';
import type { AnyValue, LogsData, MetricsData, TracesData } from '#src/wire/otlp-json.js';

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'));
const decimal = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const signed = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const text = fc.string({ unit: 'binary', maxLength: 40 });
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const { value } = fc.letrec<{ value: AnyValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    text.map((stringValue) => ({ stringValue })),
    fc.boolean().map((boolValue) => ({ boolValue })),
    signed.map((intValue) => ({ intValue })),
    double.map((doubleValue) => ({ doubleValue })),
    fc.uint8Array({ maxLength: 20 }).map((b) => ({ bytesValue: Buffer.from(b).toString('base64') })),
    fc.array(tie('value'), { minLength: 1, maxLength: 3 }).map((values) => ({ arrayValue: { values } })),
    fc
      .array(fc.record({ key: text, value: tie('value') }), { minLength: 1, maxLength: 3 })
      .map((values) => ({ kvlistValue: { values } })),
  ),
}));
/** Names that our readers look for, and others. */
const key = fc.oneof(
  text,
  fc.constantFrom('http.request.method', 'http.route', 'http.response.status_code', 'forktrace.interrupted'),
);
const attributes = fc.array(fc.record({ key, value }), { minLength: 1, maxLength: 4 });
const resource = fc.record({ attributes });
const scope = fc.record({ name: text, version: text });
const span = fc.record({
  traceId: hex(16),
  spanId: hex(8),
  parentSpanId: hex(8),
  name: text,
  kind: fc.nat(5),
  startTimeUnixNano: decimal,
  endTimeUnixNano: decimal,
  attributes,
  events: fc.array(fc.record({ timeUnixNano: decimal, name: text, attributes }), { minLength: 1, maxLength: 2 }),
  links: fc.array(fc.record({ traceId: hex(16), spanId: hex(8), flags: fc.nat() }), { minLength: 1, maxLength: 2 }),
  status: fc.record({ code: fc.nat(2), message: text }),
  flags: fc.nat(0xffffffff),
});
const logRecord = fc.record({
  timeUnixNano: decimal,
  observedTimeUnixNano: decimal,
  severityNumber: fc.nat(24),
  severityText: text,
  body: value,
  attributes,
  droppedAttributesCount: fc.nat(0xffffffff),
  flags: fc.nat(0xffffffff),
  traceId: hex(16),
  spanId: hex(8),
  eventName: text,
});
const point = fc.oneof(
  fc.record({ timeUnixNano: decimal, asDouble: double, attributes }),
  fc.record({ timeUnixNano: decimal, asInt: signed }),
);
/** One or two. */
const some = <Item>(item: fc.Arbitrary<Item>) => fc.array(item, { minLength: 1, maxLength: 2 });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const exponentialBuckets = fc.record({ offset: int32, bucketCounts: some(signed) });
const exponentialHistogram = fc.record({
  aggregationTemporality: fc.nat(2),
  dataPoints: some(
    fc.record({
      attributes,
      timeUnixNano: decimal,
      count: decimal,
      sum: double,
      scale: int32,
      zeroCount: decimal,
      positive: exponentialBuckets,
      negative: exponentialBuckets,
    }),
  ),
});
const summary = fc.record({
  dataPoints: some(
    fc.record({ attributes, count: decimal, quantileValues: some(fc.record({ quantile: double, value: double })) }),
  ),
});
const points = fc.record({ dataPoints: fc.array(point, { minLength: 1, maxLength: 3 }) });

/** As it would come over the wire: plain objects, no -0. */
const plain = <Data>(data: fc.Arbitrary<unknown>) => data.map((made) => JSON.parse(JSON.stringify(made)) as Data);

export const anyTraces = plain<TracesData>(
  fc.record({
    resourceSpans: some(fc.record({ resource, scopeSpans: some(fc.record({ scope, spans: some(span) })) })),
  }),
);
export const anyLogs = plain<LogsData>(
  fc.record({
    resourceLogs: some(
      fc.record({ resource, scopeLogs: some(fc.record({ scope, logRecords: some(logRecord), schemaUrl: text })) }),
    ),
  }),
);
export const anyMetrics = plain<MetricsData>(
  fc.record({
    resourceMetrics: some(
      fc.record({
        resource,
        scopeMetrics: some(
          fc.record({
            metrics: some(
              fc.oneof(
                fc.record({ name: text, gauge: points }),
                fc.record({ name: text, sum: points }),
                fc.record({ name: text, exponentialHistogram }),
                fc.record({ name: text, summary }),
              ),
            ),
          }),
        ),
      }),
    ),
  }),
);
