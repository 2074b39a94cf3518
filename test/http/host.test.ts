import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { DerivedContext } from '#src/http/derived-context.js';
import { parseHost, plainAddress } from '#src/http/host.js';

test('a Host header in its parts: the port is the written one, else that of the scheme', () => {
  const hosts: [host: string, address: string | undefined, port: number | undefined][] = [
    ['a.example', 'a.example', 443],
    ['a.example:8080', 'a.example', 8080],
    ['[::1]', '::1', 443],
    ['[fd00::1]:8080', 'fd00::1', 8080],
    ['a.example:', 'a.example', undefined],
    ['a.example:http', 'a.example', undefined],
    ['a.example:65536', 'a.example', undefined],
    ['', undefined, undefined],
  ];
  for (const [host, address, port] of hosts) assert.deepEqual(parseHost(host, 'https'), { address, port }, host);
  assert.deepEqual(parseHost('a.example', 'http'), { address: 'a.example', port: 80 });
  assert.deepEqual(['::ffff:10.0.0.1', '::1', '::ffff:1'].map(plainAddress), ['10.0.0.1', '::1', '::ffff:1']);
});

test("a request's context holds one value more than its parent, set again it replaces, deleted it is gone", () => {
  const [own, other] = [createContextKey('own'), createContextKey('other')];
  const first = new DerivedContext(ROOT_CONTEXT.setValue(other, 'below'), own, 1);
  const second = first.setValue(own, 2) as DerivedContext;
  assert.deepEqual([first.getValue(own), second.getValue(own), second.getValue(other)], [1, 2, 'below']);
  assert.equal(second.parent, first.parent, 'values that are set again and again make no chain');
  const beside = second.setValue(other, 'above') as DerivedContext;
  assert.deepEqual([beside.parent, beside.getValue(own), beside.getValue(other)], [second, 2, 'above']);
  assert.equal(beside.deleteValue(other).getValue(other), undefined);
  assert.deepEqual([beside.deleteValue(own).getValue(own), beside.getValue(own)], [undefined, 2]);
});
