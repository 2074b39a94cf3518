import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasMark, markRecorded, RecordedOutput } from '#src/process/recorded-output.js';

const WRITTEN = ['plain ', markRecorded('marked é\n'), 'end\n\u001b[31mred\u001b', markRecorded(Buffer.from('no end'))];
const BYTES = Buffer.concat(WRITTEN.map((chunk) => Buffer.from(chunk)));

test('marks are taken out wherever the stream is cut into chunks, and tell what is recorded', () => {
  for (let length = 1; length <= BYTES.length; length++) {
    const output = new RecordedOutput();
    const parts = [];
    for (let at = 0; at < BYTES.length; at += length) parts.push(output.take(BYTES.subarray(at, at + length)));
    parts.push(output.end());
    assert.equal(
      String(Buffer.concat(parts.map(({ text }) => text))),
      'plain marked é\nend\n\u001b[31mred\u001bno end',
    );
    const unrecorded = Buffer.concat(parts.map(({ unrecorded }) => unrecorded));
    assert.equal(String(unrecorded), 'plain \nend\n\u001b[31mred\u001b', `chunks of ${length}`);
  }
});

test('what might become a mark waits for no more than its own length, and comes when the stream ends', () => {
  const output = new RecordedOutput();
  assert.equal(String(output.take(Buffer.from('colour \u001b')).text), 'colour ');
  assert.equal(String(output.take(Buffer.from('[0m\u001b_fork')).text), '\u001b[0m');
  assert.deepEqual(Object.values(output.end()).map(String), ['\u001b_fork', '\u001b_fork']);
  // Its writer was killed between the two marks.
  output.take(Buffer.from(markRecorded('half')).subarray(0, 18));
  assert.equal(String(output.end().unrecorded), '');
});

test('marked text is known as such, as text and as bytes', () => {
  assert.deepEqual([markRecorded('a'), markRecorded(Buffer.from('a'))].map(hasMark), [true, true]);
  assert.deepEqual(['a\u001b[0m', Buffer.from('a')].map(hasMark), [false, false]);
});
