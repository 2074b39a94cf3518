// Whatever a program logs, the record is kept, and nothing throws.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeScopeFields } from '#src/journal/encoder.js';
import { LogWriter } from '#src/logs/log-writer.js';
import { JournalLoggerProvider } from '#src/logs/logger-provider.js';
import { decode } from '#src/wire/decode.js';
import { LogRecord } from '#src/wire/otlp.js';
import { plainAttributes, plainValue } from '../endpoint/decode.js';

const OPTIONS = {
  level: 'info',
  maxPerSecond: 1_000_000,
  captureOutput: false,
  attributeCountLimit: 128,
  textLengthLimit: 65_536,
  redact: [/\d{4}-\d{4}/],
} as const;

function scene(options: object = {}) {
  const kept: ReturnType<typeof read>[] = [];
  const journal = {
    appendLog: (_scope: unknown, bytes: Uint8Array, start: number, end: number) =>
      void kept.push(read(bytes.slice(start, end))),
    stats: () => ({ logRecords: kept.length, logRecordsLost: { total: 0 } }) as never,
  };
  const writer = new LogWriter({ ...OPTIONS, redact: [...OPTIONS.redact], ...options }, journal);
  return { kept, writer, logger: new JournalLoggerProvider(writer, async () => true).getLogger('test') };
}

function read(bytes: Uint8Array) {
  const { body, attributes = [], droppedAttributesCount = 0 } = decode(bytes, LogRecord);
  return { body: plainValue(body), attributes: plainAttributes(attributes), droppedAttributesCount };
}

test('what is circular, deep, huge, throws or is no JSON is kept, cut where it begins to hurt', () => {
  const { kept, logger } = scene();
  const circular: Record<string, unknown> = { name: 'loop' };
  circular.self = circular;
  let deep: object = {};
  for (let i = 0; i < 100; i++) deep = { deep };
  const throwing = Object.defineProperty({}, 'bad', {
    enumerable: true,
    get() {
      throw new TypeError('no');
    },
  });
  const huge = 'x'.repeat(10_000_000);
  const values = {
    circular,
    deep,
    throwing,
    small: 5n,
    large: 2n ** 80n,
    lone: 'a\ud800b',
    huge,
    fn() {},
    date: new Date(0),
  };
  logger.emit({ body: huge, attributes: values });
  const [record] = kept;
  assert.equal(kept.length, 1);
  assert.equal(String(record!.body).length, 65_537);
  const { attributes } = record!;
  assert.deepEqual(attributes.circular, { name: 'loop', self: '[Circular]' });
  assert.ok(JSON.stringify(attributes.deep).includes('[Object]'));
  assert.deepEqual(attributes.throwing, { bad: '[Throws: TypeError]' });
  assert.equal(Number(attributes.small), 5);
  assert.equal(attributes.large, String(2n ** 80n));
  assert.equal(attributes.lone, 'a\ufffdb');
  assert.equal(String(attributes.huge).length, 65_537);
  assert.equal(attributes.fn, '[Function]');
  assert.equal(attributes.date, '1970-01-01T00:00:00.000Z');
});

test('what JSON would leave out or empty is written as what it is: errors, maps, sets, symbols, bytes', () => {
  const { kept, logger } = scene({ textLengthLimit: 8 });
  const error = Object.assign(new TypeError('no'), { code: 'ENOENT', stack: 'at x' });
  const unreadable = new Proxy({}, { ownKeys: () => assert.fail('asked') });
  const throwing = {
    toJSON() {
      throw new Error('no');
    },
    get bad() {
      throw 'a text';
    },
  };
  let list: unknown = [1];
  for (let i = 0; i < 10; i++) list = [list];
  logger.emit({
    body: {
      error,
      map: new Map([['a', 1]]),
      set: new Set([1, 2]),
      symbol: Symbol('s'),
      own: { toJSON: () => 'it' },
    } as never,
    attributes: {
      ...{ bytes: new Uint8Array([1, 2]), long: new Uint8Array(9), throwing, list, nothing: null },
      ...{ '': 'no key', undefined },
    } as never,
  });
  logger.emit({ body: 'kept', attributes: unreadable as never });
  const body = kept[0]!.body as Record<string, unknown>;
  assert.deepEqual(body.error, { code: 'ENOENT', name: 'TypeErro…', message: 'no', stack: 'at x' });
  assert.deepEqual([body.map, body.set, body.symbol, body.own], [{ a: 1 }, [1, 2], 'Symbol(s…', 'it']);
  const { attributes } = kept[0]!;
  assert.ok(attributes.bytes instanceof Uint8Array);
  assert.deepEqual([attributes.long, attributes.throwing, attributes.nothing], ['[Truncated]', '[Throws]', null]);
  assert.ok(JSON.stringify(attributes.list).includes('[Array]'));
  assert.ok(!('' in attributes) && !('undefined' in attributes));
  assert.deepEqual([kept[1]!.body, kept[1]!.attributes], ['kept', {}]);
});

test("a getter that throws anything, and an exception's own fields win over attributes of the same name", () => {
  const { kept, writer } = scene({ redact: [/secret/gi] });
  const attributes = Object.defineProperty({ 'exception.type': 'theirs', a: 'SECRET secret' }, 'bad', {
    enumerable: true,
    get() {
      throw 'a text';
    },
  });
  writer.write(encodeScopeFields({ name: 'test' }), {
    ...{ seconds: 1, nanos: 0, observedSeconds: 1, observedNanos: 0, severityNumber: 17, severityText: undefined },
    ...{ body: 'x', attributes, exception: { 'exception.type': 'TypeError' }, eventName: 'exception' },
  });
  assert.deepEqual(kept[0]!.attributes, {
    'exception.type': 'TypeError',
    a: 'REDACTED REDACTED',
    bad: '[Throws: an exception]',
  });
});

test('secrets by name and by pattern are not written, at any depth', () => {
  const { kept, logger } = scene();
  logger.emit({ body: 'card 1234-5678', attributes: { password: 'a', user: { api_key: 'b', note: '1111-2222' } } });
  assert.deepEqual(kept[0], {
    body: 'card REDACTED',
    attributes: { password: 'REDACTED', user: { api_key: 'REDACTED', note: 'REDACTED' } },
    droppedAttributesCount: 0,
  });
});

test('records below the level are left out, and attributes beyond the limit are counted', () => {
  const { kept, logger } = scene({ attributeCountLimit: 1 });
  logger.emit({ severityNumber: 5, body: 'debug' });
  logger.emit({ severityNumber: 9, body: 'info', attributes: { a: 1, b: 2, c: 3 } });
  assert.deepEqual(kept, [{ body: 'info', attributes: { a: 1 }, droppedAttributesCount: 2 }]);
  assert.deepEqual([logger.enabled({ severityNumber: 5 }), logger.enabled({ severityNumber: 9 })], [false, true]);
});

test('a flood is bounded by the second, and counted', () => {
  const { kept, writer } = scene({ maxPerSecond: 10 });
  const scope = encodeScopeFields({ name: 'test' });
  const entry = (second: number) => ({
    ...{ seconds: second, nanos: 0, observedSeconds: second, observedNanos: 0, severityNumber: 9 },
    ...{ severityText: undefined, body: 'x', attributes: undefined, exception: undefined, eventName: undefined },
  });
  for (let n = 0; n < 25; n++) writer.write(scope, entry(1));
  for (let n = 0; n < 5; n++) writer.write(scope, entry(2));
  assert.equal(kept.length, 15);
  assert.equal(writer.counts().flooded, 15);
});
