import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastBytes } from '#src/forensics/last-bytes.js';

test('all of it, until there is more than it holds', () => {
  const last = new LastBytes(8);
  last.push(Buffer.from('ab\n'));
  last.push(Buffer.from('cdefg'));
  assert.equal(last.text(), 'ab\ncdefg');
});

test('then the last whole lines, however the writes were cut', () => {
  const text = Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join('');
  for (const size of [1, 3, 7, 16, 17, 100]) {
    const last = new LastBytes(16);
    for (let at = 0; at < text.length; at += size) last.push(Buffer.from(text.slice(at, at + size)));
    assert.equal(last.text(), 'line 39\n', `in pieces of ${size}`);
  }
});

test('one long line: its end', () => {
  const last = new LastBytes(4);
  last.push(Buffer.from('abcdefgh'));
  assert.equal(last.text(), 'efgh');
});
