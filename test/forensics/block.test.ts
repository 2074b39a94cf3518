// What is said of a worker whose event loop does not turn.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockAttributes, blockOf } from '#src/forensics/block.js';
import type { ProcessState } from '#src/forensics/process-state.js';

const sleeping: ProcessState = { state: 'S', waitChannel: undefined, children: [], cpuTicks: 1 };

test('a process that does not answer is described as the kernel sees it', () => {
  for (const [found, expected] of [
    [undefined, 'not known'],
    [{ state: 'T' }, 'is stopped by a signal'],
    [{ state: 't' }, 'is stopped by a signal'],
    [{ state: 'Z' }, 'has ended'],
    [{ state: 'X' }, 'has ended'],
    [{ state: 'R' }, 'runs native code or collects garbage'],
    [{ state: 'D' }, 'waits for a device'],
    [{ state: 'D', waitChannel: 'nfs_wait' }, 'waits for a device (nfs_wait)'],
    [{ children: [{ pid: 7, command: 'sleep 60' }] }, 'waits, and has a child process: sleep 60'],
    [{ children: [{ pid: 7, command: '' }] }, 'waits, and has a child process: 7'],
    [{}, 'waits in a system call'],
    [{ waitChannel: 'futex_wait' }, 'waits in a system call (futex_wait)'],
  ] as [Partial<ProcessState> | undefined, string][]) {
    const block = blockOf(undefined, found && { ...sleeping, ...found });
    assert.deepEqual(block, { state: expected, stack: undefined, active: undefined });
  }
});

test('the line that a block is in has the names of the semantic conventions, as far as it is known', () => {
  const attributes = (stack: string | undefined) => blockAttributes({ state: 's', stack, active: undefined });
  const stack = 'Error\n    at spin (/app/server.js:12:3)';
  assert.deepEqual(attributes(stack), {
    'forktrace.block.state': 's',
    'code.stacktrace': stack,
    'code.function.name': 'spin',
    'code.file.path': '/app/server.js',
    'code.line.number': 12,
    'code.column.number': 3,
  });
  assert.equal(attributes('    at /app/server.js:12:3')['code.function.name'], undefined);
  assert.deepEqual(Object.keys(attributes('no line of code')), ['forktrace.block.state', 'code.stacktrace']);
  assert.deepEqual(Object.keys(attributes(undefined)), ['forktrace.block.state']);
});
