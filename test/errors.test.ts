import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeValue, ForktraceError } from '#src/errors.js';

test('an error names the option, what was found and what is expected', () => {
  const error = new ForktraceError('FORKTRACE_CONFIG_INVALID', [
    'workers',
    describeValue('four'),
    'a whole number from 1',
  ]);
  assert.equal(error.code, 'FORKTRACE_CONFIG_INVALID');
  assert.equal(error.message, 'Option workers: got "four", expected a whole number from 1.');
});
