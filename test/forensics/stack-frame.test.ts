import assert from 'node:assert/strict';
import { test } from 'node:test';
import { innermostFrame } from '#src/forensics/stack-frame.js';

test('the innermost frame in a file: built-in and evaluated ones are passed over', () => {
  const stack = [
    '    at RegExp.test (<anonymous>)',
    '    at node:internal/process/task_queues:95:5',
    '    at eval (eval at load (/app/load.js:3:1), <anonymous>:1:1)',
    '    at async Object.price [as total] (file:///app/a%20b/price.mjs:12:7)',
    '    at /app/server.js:40:3',
  ].join('\n');
  assert.deepEqual(innermostFrame(stack), {
    functionName: 'Object.price [as total]',
    filePath: '/app/a b/price.mjs',
    line: 12,
    column: 7,
  });
});

test('code outside of any function has no name; Windows paths have a colon', () => {
  assert.deepEqual(innermostFrame('    at C:\\app\\server.js:40:3'), {
    functionName: undefined,
    filePath: 'C:\\app\\server.js',
    line: 40,
    column: 3,
  });
});

test('no frame in a file: nothing', () => {
  for (const stack of ['', '    at Atomics.wait (<anonymous>)', 'Error: x (/a.js:1:1)', '    at ((((']) {
    assert.equal(innermostFrame(stack), undefined, stack);
  }
});
