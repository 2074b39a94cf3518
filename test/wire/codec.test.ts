import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { check, isSound } from '#src/wire/check.js';
import { decode } from '#src/wire/decode.js';
import { encode } from '#src/wire/encode.js';
import { type Message, message, tags } from '#src/wire/message.js';
import { AnyValue, KeyValue, LogsRequest, MetricsRequest, Resource, Span, TracesRequest } from '#src/wire/otlp.js';
import type { AnyValue as Value } from '#src/wire/otlp-json.js';
import { protocol } from '../endpoint/decode.js';
import { anyLogs, anyMetrics, anyTraces } from './any-data.js';
import { repeatable, shuffled, varint } from './shuffled.js';

const signals: [Message, fc.Arbitrary<object>][] = [
  [TracesRequest, anyTraces],
  [LogsRequest, anyLogs],
  [MetricsRequest, anyMetrics],
];

describe('the OTLP codec', () => {
  for (const [request, data] of signals) {
    it(`${request.name}: gives back as JSON what it encoded as protobuf, however another encoder would have written it`, () => {
      fc.assert(
        fc.property(data, fc.nat(), (original, seed) => {
          const bytes = encode(original, request);
          assert.deepEqual(decode(bytes, request), original);
          const other = shuffled(bytes, request, repeatable(seed));
          assert.deepEqual(decode(other, request), original);
          check(other, request);
          assert.ok(isSound(bytes, request));
        }),
        { numRuns: 300 },
      );
    });
  }

  it('writes what the official classes read', () => {
    fc.assert(
      fc.property(anyTraces, (original) => {
        const decoded = protocol.traces.request.decode(encode(original, TracesRequest));
        const names = (data: { resourceSpans?: { scopeSpans?: { spans?: { name?: string }[] }[] }[] }) =>
          data.resourceSpans!.flatMap((r) => r.scopeSpans!.flatMap((s) => s.spans!.map(({ name }) => name)));
        assert.deepEqual(names(decoded), names(original));
        const again = protocol.traces.request.encode(decoded).finish();
        assert.deepEqual(decode(again, TracesRequest), decode(encode(original, TracesRequest), TracesRequest));
      }),
      { numRuns: 100 },
    );
  });

  it('takes the last of a field that may occur once, and the last member of a oneof', () => {
    const name = (text: string) => [tags(Span).name, text.length, ...Buffer.from(text)];
    assert.deepEqual(decode(Buffer.from([...name('first'), ...name('last')]), Span), { name: 'last' });
    const { stringValue, intValue } = tags(AnyValue);
    assert.deepEqual(decode(Buffer.of(stringValue, 1, 0x61, intValue, 5), AnyValue), { intValue: '5' });
    assert.deepEqual(decode(Buffer.of(intValue, 5, stringValue, 1, 0x61), AnyValue), { stringValue: 'a' });
  });

  it('merges a message that occurs again where it may occur once', () => {
    const { key, value } = tags(KeyValue);
    const { arrayValue } = tags(AnyValue);
    const item = (text: string) => {
      const any = [tags(AnyValue).stringValue, 1, text.charCodeAt(0)];
      const array = [0x0a, any.length, ...any];
      return [value, array.length + 2, arrayValue, array.length, ...array];
    };
    assert.deepEqual(decode(Buffer.from([...item('a'), key, 1, 0x6b, ...item('b')]), KeyValue), {
      key: 'k',
      value: { arrayValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } },
    });
  });

  it('takes repeated numbers packed, unpacked and mixed', () => {
    const Numbers = message<{ small?: number[]; large?: string[]; halves?: number[] }>('Numbers', {
      small: [1, 'uint32', 'repeated'],
      large: [2, 'fixed64', 'repeated'],
      halves: [3, 'double', 'repeated'],
    });
    const double = Buffer.alloc(8);
    double.writeDoubleLE(0.5);
    const bytes = Buffer.from([
      ...[0x08, 1, 0x0a, 3, 2, 0xac, 0x02, 0x08, 4],
      ...[0x12, 16, ...Buffer.alloc(8, 0), 1, 0, 0, 0, 0, 0, 0, 0],
      ...[0x19, ...double, 0x1a, 8, ...double],
    ]);
    assert.deepEqual(decode(bytes, Numbers), { small: [1, 2, 300, 4], large: ['0', '1'], halves: [0.5, 0.5] });
    check(bytes, Numbers);
    // A packed field that ends within a number.
    assert.throws(() => decode(Buffer.of(0x12, 4, 0, 0, 0, 0), Numbers), { name: 'MalformedProtobuf' });
    assert.throws(() => check(Buffer.of(0x12, 4, 0, 0, 0, 0), Numbers), { name: 'MalformedProtobuf' });
  });

  it('keeps all 64 bits of a number, and the lowest 32 of one that should have no more', () => {
    const { intValue } = tags(AnyValue);
    const minusOne = [...Array(9).fill(0xff), 0x01];
    assert.deepEqual(decode(Buffer.of(intValue, ...minusOne), AnyValue), { intValue: '-1' });
    assert.deepEqual(decode(Buffer.of(tags(Span).kind, ...minusOne), Span), { kind: 0xffffffff });
    assert.deepEqual(decode(Buffer.of(tags(Span).kind, ...varint(2 ** 40 + 3)), Span), { kind: 3 });
  });

  it('refuses values nested without end', () => {
    let nested: Value = { stringValue: 'deep' };
    for (let depth = 0; depth < 100; depth++) nested = { arrayValue: { values: [nested] } };
    const deep = { resourceSpans: [{ resource: { attributes: [{ key: 'deep', value: nested }] } }] };
    assert.throws(() => encode(deep, TracesRequest), /nested messages/);
    const bytes = deepResource(200);
    assert.throws(() => decode(bytes, Resource), /nested messages/);
    assert.throws(() => check(bytes, Resource), /nested messages/);
    assert.equal(isSound(bytes, Resource), false);
    const groups = Buffer.from([...Array(100).fill(0x3b), ...Array(100).fill(0x3c)]);
    assert.throws(() => decode(groups, Resource), /nested groups/);
  });

  it('knows ids by their length, and passes on only text that is UTF-8', () => {
    const { traceId, spanId, name } = tags(Span);
    for (const bytes of [Buffer.of(traceId, 1, 1), Buffer.of(spanId, 3, 1, 2, 3)]) {
      assert.throws(() => check(bytes, Span), /bytes, expected/);
      assert.equal(isSound(bytes, Span), false);
    }
    const notText = Buffer.of(name, 2, 0xc3, 0x28);
    check(notText, Span);
    assert.equal(isSound(notText, Span), false);
    assert.ok(isSound(encode({ name: 'fünf' }, Span), Span));
  });
});

/** A Resource with an attribute of so many levels. */
function deepResource(levels: number): Buffer {
  // 0x2a: AnyValue.array_value, 0x0a: ArrayValue.values; each level is longer than what it holds.
  let bytes: Buffer = Buffer.from([0x0a, 0x00]);
  for (let depth = 0; depth < levels; depth++) bytes = field(depth % 2 ? 0x2a : 0x0a, bytes);
  return field(tags(Resource).attributes, field(tags(KeyValue).value, bytes));
}

function field(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, ...varint(content.length)]), content]);
}
