import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeResource, encodeScopeFields } from '#src/journal/encoder.js';
import { RequestBuilder } from '#src/shipper/request-builder.js';
import { decodeSpans } from '../endpoint/received-span.js';
import { field } from '../journal/span-bytes.js';
import { spanFields } from './export-request.js';

const SCOPES = ['forktrace', 'pg', 'redis'];

/** A journal's chunk: one span in a ScopeSpans of its own. */
function chunk(scope: string, span: string): Buffer {
  return field(2, Buffer.concat([encodeScopeFields({ name: scope }).bytes, field(2, spanFields(span))]));
}

test('spans of many chunks are merged by writer and scope, in order, request after request', () => {
  const builder = new RequestBuilder(1024);
  // More, then fewer, then more than the builder has had room for.
  for (const spans of [3000, 7, 9000]) {
    builder.clear();
    const expected: string[] = [];
    for (const writer of ['one', 'two']) {
      builder.beginWriter({ resource: encodeResource({ 'service.instance.id': writer }) });
      const names = Array.from({ length: spans }, (_, i) => ({ scope: SCOPES[(i * 7) % 3]!, span: `${writer} ${i}` }));
      // Two segments' worth.
      const halves = [names.slice(0, spans >> 1), names.slice(spans >> 1)];
      for (const half of halves) {
        const chunks = Buffer.concat(half.map(({ scope, span }) => chunk(scope, span)));
        assert.deepEqual(builder.add(chunks), { spans: half.length, malformed: 0 });
      }
      const order = [...new Set(names.map(({ scope }) => scope))];
      names.sort((a, b) => order.indexOf(a.scope) - order.indexOf(b.scope));
      for (const { scope, span } of names) expected.push(`${writer} ${scope} ${span}`);
    }
    const decode = (from?: number, to?: number) =>
      decodeSpans(builder.encode(from, to)).map(
        ({ resource, scope, name }) => `${resource['service.instance.id']} ${scope.name} ${name}`,
      );
    assert.deepEqual(decode(), expected);
    assert.ok(builder.encode().length <= builder.length);
    // Any cut is two requests with all of it, each whole.
    for (const cut of [1, spans - 1, spans, spans + 1, 2 * spans - 1]) {
      assert.deepEqual([...decode(0, cut), ...decode(cut)].sort(), expected.toSorted());
    }
  }
});

test('a span follows another into its scope if that is the same in every byte, wherever it stands in its chunk', () => {
  const span = (name: string) => field(2, spanFields(name));
  // Lengths around that of a word, and the name last: any of its bytes may be the one that differs.
  const names = ['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'abcdefgh', 'a name of some more words'];
  const scopes = names.flatMap((name) => [
    name,
    ...Array.from(name, (_, at) => `${name.slice(0, at)}~${name.slice(at + 1)}`),
  ]);
  const builder = new RequestBuilder(64);
  for (const name of names) {
    for (const other of scopes) {
      const [one, two] = [encodeScopeFields({ name }).bytes, encodeScopeFields({ name: other }).bytes];
      const forms = [[two, span('after')] as const, [span('after'), two] as const];
      for (const form of forms) {
        builder.clear();
        builder.beginWriter({ resource: encodeResource({}) });
        const chunks = [
          field(2, Buffer.concat([one, span('first')])),
          field(2, Buffer.concat(form)),
          // Two, or none: no chunk.
          field(2, Buffer.concat([two, span('x'), span('y')])),
          field(2, Buffer.from(two.length > 0 ? two : [0x1a, 0])),
          field(2, Buffer.concat([one, span('last')])),
        ];
        assert.deepEqual(builder.add(Buffer.concat(chunks)), { spans: 3, malformed: 2 });
        const expected = [`${name} first`, `${other} after`, `${name} last`];
        if (name !== other) expected.push(expected.splice(1, 1)[0]!);
        const found = decodeSpans(builder.encode()).map((one) => `${one.scope.name} ${one.name}`);
        assert.deepEqual(found, expected);
        for (const [index, at] of [0, 2, 1].entries()) {
          const [only] = decodeSpans(builder.encode(index, index + 1));
          assert.equal(`${only!.scope.name} ${only!.name}`, expected[name === other ? index : at]);
        }
      }
    }
  }
});
