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
