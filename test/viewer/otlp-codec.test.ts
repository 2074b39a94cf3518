import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decode } from '#src/otlp/decode.js';
import { encode } from '#src/otlp/encode.js';
import type { AnyValue, TracesData } from '#src/otlp/json-types.js';
import { scanSpans } from '#src/otlp/scan-spans.js';
import { MetricsRequest, TracesRequest } from '#src/otlp/schema.js';
import { tracesRequest } from './otlp-feed.js';

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'));
const decimal = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const text = fc.string({ unit: 'binary', maxLength: 40 });
const { value } = fc.letrec<{ value: AnyValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    text.map((stringValue) => ({ stringValue })),
    fc.boolean().map((boolValue) => ({ boolValue })),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => ({ intValue: String(n) })),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((doubleValue) => ({ doubleValue })),
    fc.uint8Array({ maxLength: 20 }).map((b) => ({ bytesValue: Buffer.from(b).toString('base64') })),
    fc.array(tie('value'), { minLength: 1, maxLength: 3 }).map((values) => ({ arrayValue: { values } })),
  ),
}));
const attributes = fc.array(fc.record({ key: text, value }), { minLength: 1, maxLength: 4 });
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
const data: fc.Arbitrary<TracesData> = fc
  .record({
    resourceSpans: fc.array(
      fc.record({
        resource: fc.record({ attributes }),
        scopeSpans: fc.array(
          fc.record({ scope: fc.record({ name: text }), spans: fc.array(span, { minLength: 1, maxLength: 3 }) }),
          { minLength: 1, maxLength: 2 },
        ),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  })
  // As it would come over the wire: plain objects, no -0.
  .map((made) => JSON.parse(JSON.stringify(made)) as TracesData);

describe('the OTLP codec', () => {
  it('gives back as JSON what it encoded as protobuf', () => {
    fc.assert(
      fc.property(data, (original) => {
        assert.deepEqual(decode(encode(original, TracesRequest), TracesRequest), original);
      }),
      { numRuns: 200 },
    );
  });

  it('finds in one pass the spans that a full decode finds', () => {
    fc.assert(
      fc.property(data, (original) => {
        const expected = original.resourceSpans!.flatMap((r) =>
          r.scopeSpans!.flatMap((s) =>
            s.spans!.map((one) => [one.traceId, one.spanId, one.name, one.status!.code === 2]),
          ),
        );
        const found: unknown[] = [];
        scanSpans(encode(original, TracesRequest), (one) => found.push([one.traceId, one.spanId, one.name, one.error]));
        assert.deepEqual(found, expected);
      }),
      { numRuns: 200 },
    );
  });

  it('never fails otherwise than by saying what is malformed, and never reads what the full decoder refuses', () => {
    const sound = tracesRequest([{ attributes: { a: 'b', n: 1, list: ['x'] }, events: [{ name: 'e' }], error: 'no' }]);
    const mutated = fc
      .array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
      .map((changes) => {
        const bytes = Buffer.from(sound);
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes;
      });
    const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(mutated, anything), (bytes) => {
        const outcome = (run: () => unknown) => {
          try {
            run();
            return true;
          } catch (error) {
            assert.equal((error as Error).name, 'MalformedProtobuf');
            return false;
          }
        };
        outcome(() => decode(bytes, MetricsRequest));
        const spans: Buffer[] = [];
        if (outcome(() => scanSpans(bytes, (one) => spans.push(bytes.subarray(one.from, one.to))))) {
          // What the store takes must be decodable when somebody looks at it.
          for (const one of spans) {
            const wrapped = Buffer.concat([Buffer.of(0x12, ...varint(one.length)), one]);
            const scoped = Buffer.concat([Buffer.of(0x12, ...varint(wrapped.length)), wrapped]);
            decode(Buffer.concat([Buffer.of(0x0a, ...varint(scoped.length)), scoped]), TracesRequest);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses values nested without end', () => {
    let nested: AnyValue = { stringValue: 'deep' };
    for (let depth = 0; depth < 100; depth++) nested = { arrayValue: { values: [nested] } };
    const deep = { resourceSpans: [{ resource: { attributes: [{ key: 'deep', value: nested }] } }] };
    assert.throws(() => encode(deep, TracesRequest), /nested messages/);
    assert.throws(decodeDeep, /nested messages/);
  });
});

function decodeDeep(): void {
  // 0x2a: AnyValue.array_value, 0x0a: ArrayValue.values; each level is two bytes longer than what it holds.
  let bytes = Buffer.from([0x0a, 0x00]);
  for (let depth = 0; depth < 200; depth++) {
    bytes = Buffer.concat([Buffer.of(depth % 2 ? 0x2a : 0x0a, ...varint(bytes.length)), bytes]);
  }
  const attribute = Buffer.concat([Buffer.of(0x12, ...varint(bytes.length)), bytes]);
  const resource = Buffer.concat([Buffer.of(0x0a, ...varint(attribute.length)), attribute]);
  const resourceField = Buffer.concat([Buffer.of(0x0a, ...varint(resource.length)), resource]);
  scanSpans(Buffer.concat([Buffer.of(0x0a, ...varint(resourceField.length)), resourceField]), () => {});
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}
