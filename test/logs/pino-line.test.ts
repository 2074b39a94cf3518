// Lines of pino, whatever its options make of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exceptionAttributes } from '#src/logs/exception-attributes.js';
import { entryNow } from '#src/logs/log-entry.js';
import { readPinoLine } from '#src/logs/pino-line.js';

const KEYS = { messageKey: 'msg', errorKey: 'err' };
const read = (line: unknown, keys = KEYS) => {
  const entry = { ...entryNow(), seconds: 1, nanos: 2 };
  readPinoLine(typeof line === 'string' ? line : JSON.stringify(line), keys, entry);
  return entry;
};

test('level, time, message and fields become severity, time, body and attributes', () => {
  const entry = read({ level: 40, time: 1500, msg: 'low', pid: 1, hostname: 'h', trace_id: 't', shelf: 3 });
  assert.deepEqual(
    [entry.severityNumber, entry.severityText, entry.seconds, entry.nanos, entry.body, entry.attributes],
    [13, 'warn', 1, 500_000_000, 'low', { shelf: 3 }],
  );
});

test('a level may be a label, and one that is unknown has no number', () => {
  const severity = (level: unknown) => {
    const { severityNumber, severityText } = read({ level, msg: 'x' });
    return [severityNumber, severityText];
  };
  assert.deepEqual(severity('ERROR'), [17, 'ERROR']);
  assert.deepEqual(severity('notice'), [0, 'notice']);
  assert.deepEqual(severity(undefined), [0, undefined]);
  assert.deepEqual(severity({}), [0, undefined]);
});

test('a time may be a text; one that is none leaves that of the call', () => {
  const time = (value: unknown) => {
    const { seconds, nanos } = read({ time: value });
    return [seconds, nanos];
  };
  assert.deepEqual(time('1970-01-01T00:00:05.250Z'), [5, 250_000_000]);
  for (const none of ['soon', -1, 1e300, null, undefined]) assert.deepEqual(time(none), [1, 2], String(none));
});

test('an error becomes the exception, by the names of serializers and of errors; what is none stays a field', () => {
  const { exception, attributes } = read({ err: { type: 'RangeError', message: 'out of luck', stack: 'at x' } });
  assert.deepEqual(exception, {
    'exception.type': 'RangeError',
    'exception.message': 'out of luck',
    'exception.stacktrace': 'at x',
  });
  assert.equal(attributes, undefined);
  for (const err of ['text', null]) {
    const entry = read({ err });
    assert.deepEqual([entry.exception, entry.attributes], [undefined, { err }]);
  }
  assert.equal(
    read({ error: { name: 'E' } }, { messageKey: 'msg', errorKey: 'error' }).exception?.['exception.type'],
    'E',
  );
});

test('what is no object is the body', () => {
  assert.equal(read('not JSON\n').body, 'not JSON');
  assert.equal(read('not JSON').body, 'not JSON');
  assert.equal(read('7').body, 7);
  assert.equal(read('null').body, null);
});

test('anything that was thrown is an exception, or none', () => {
  assert.deepEqual(exceptionAttributes('why'), { 'exception.message': 'why' });
  assert.deepEqual(exceptionAttributes({ code: 'ENOENT', message: '' }), {
    'exception.type': 'ENOENT',
    'exception.message': undefined,
    'exception.stacktrace': undefined,
  });
  for (const none of [undefined, null, 7, () => {}]) assert.equal(exceptionAttributes(none), undefined);
  const hostile = Object.defineProperty({}, 'name', {
    get() {
      throw new Error('no');
    },
  });
  assert.equal(exceptionAttributes(hostile), undefined);
});
