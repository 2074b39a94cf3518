import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Encoder, encodeResource, encodeScopeFields } from '#src/journal/encoder.js';
import { attributeValue } from '../tracer/span-script.js';

const require = createRequire(import.meta.url);
const { opentelemetry } = require(
  require.resolve('otlp-transformer-protos').replace(/index\.js$/, 'generated/root.js'),
);
const { InstrumentationScope } = opentelemetry.proto.common.v1;
const { Span, ScopeSpans } = opentelemetry.proto.trace.v1;
const { Resource } = opentelemetry.proto.resource.v1;

/** What AnyValue holds beyond the API's attributes: bytes and nested maps. */
const { any } = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    attributeValue,
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(null, undefined),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(key(), tie('any'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

function key(): fc.Arbitrary<string> {
  return fc.string({ unit: 'binary', minLength: 1, maxLength: 140 }).filter((candidate) => candidate !== '__proto__');
}

/** A string as UTF-8 can hold it: lone surrogates are U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

/** The message that the official definitions have for a value. */
function expected(value: unknown): object {
  if (typeof value === 'string') return { stringValue: wellFormed(value) };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    const isInt64 = Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
    return isInt64 ? { intValue: BigInt(value).toString() } : { doubleValue: value };
  }
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(expected) } };
  if (typeof value === 'object' && value !== null) {
    const values = Object.entries(value).map(([name, item]) => ({ key: wellFormed(name), value: expected(item) }));
    return { kvlistValue: { values } };
  }
  return {};
}

function decoded(
  type: { decode(bytes: Uint8Array): unknown; toObject(message: unknown, options: object): object },
  bytes: Uint8Array,
) {
  // Empty arrays of a message that is there, but no other defaults.
  return type.toObject(type.decode(bytes), { longs: String, bytes: String, arrays: true });
}

/** The one field of `bytes`, without tag and length. */
function attributesOf(encoder: Encoder): object[] {
  const span = decoded(Span, encoder.copy()) as { attributes: object[] };
  return span.attributes;
}

describe('the encoder', () => {
  it('writes every value as the official definitions read it', () => {
    const encoder = new Encoder();
    fc.assert(
      fc.property(fc.array(fc.tuple(key(), any), { maxLength: 8 }), (pairs) => {
        encoder.at = 0;
        // Twice and more: the second time keys are cached, from the third on values are.
        const repeated = [...pairs, ...pairs, ...pairs, ...pairs];
        for (const [name, value] of repeated) encoder.attribute(0x4a, name, value);
        assert.deepEqual(
          attributesOf(encoder),
          repeated.map(([name, value]) => ({ key: wellFormed(name), value: expected(value) })),
        );
      }),
      { numRuns: 1000, includeErrorInReport: true },
    );
  });

  it('keeps attributes apart that differ in their value alone, whatever came before', () => {
    const encoder = new Encoder();
    const few = fc.constantFrom('', 'a', 'b', 'ä', 'x'.repeat(60), 'y'.repeat(300), 0, 1, true, false, 16383, 16384);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('k', 'ключ', 'k'.repeat(70)), few), { maxLength: 60 }), (pairs) => {
        encoder.at = 0;
        for (const [name, value] of pairs) encoder.attribute(0x4a, name, value);
        assert.deepEqual(
          attributesOf(encoder),
          pairs.map(([name, value]) => ({ key: name, value: expected(value) })),
        );
      }),
      { numRuns: 500, includeErrorInReport: true },
    );
  });

  it('writes any 64-bit time exactly', () => {
    const encoder = new Encoder();
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4_600_000_000 }),
        fc.integer({ min: 0, max: 999_999_999 }),
        (seconds, nanos) => {
          encoder.at = 0;
          encoder.timeField(0x39, seconds, nanos);
          const span = decoded(Span, encoder.copy()) as { startTimeUnixNano: string };
          assert.equal(span.startTimeUnixNano, (BigInt(seconds) * 1_000_000_000n + BigInt(nanos)).toString());
        },
      ),
    );
  });

  it('writes what is larger than a segment, and gives its buffer back', () => {
    const encoder = new Encoder();
    const value = 'größe '.repeat(1_000_000);
    encoder.attribute(0x4a, 'text', value);
    encoder.attribute(0x4a, 'list', new Array(300_000).fill('0123456789'));
    assert.ok(encoder.at > 9_000_000);
    const [text, list] = attributesOf(encoder) as [
      { value: { stringValue: string } },
      { value: { arrayValue: { values: unknown[] } } },
    ];
    assert.equal(text.value.stringValue, value);
    assert.equal(list.value.arrayValue.values.length, 300_000);
    encoder.shrink();
    assert.ok(encoder.bytes.length <= 1 << 20);
  });

  it('has a bound on the keys that it remembers', () => {
    const encoder = new Encoder();
    for (let i = 0; i < 5000; i++) {
      encoder.at = 0;
      encoder.attribute(0x4a, `key.${i}`, 'v');
      const [attribute] = attributesOf(encoder) as [{ key: string }];
      assert.equal(attribute.key, `key.${i}`);
    }
  });

  it('writes resources and scopes', () => {
    const resource = decoded(Resource, encodeResource({ 'service.name': 'shop', 'process.pid': 7, absent: undefined }));
    assert.deepEqual((resource as { attributes: object[] }).attributes, [
      { key: 'service.name', value: { stringValue: 'shop' } },
      { key: 'process.pid', value: { intValue: '7' } },
    ]);
    const scope = decoded(
      ScopeSpans,
      encodeScopeFields({ name: 'cart', version: '1', schemaUrl: 'https://s' }).bytes,
    ) as {
      scope: object;
      schemaUrl: string;
    };
    assert.equal(scope.schemaUrl, 'https://s');
    assert.deepEqual(scope.scope, { ...decoded(InstrumentationScope, new Uint8Array(0)), name: 'cart', version: '1' });
  });
});
