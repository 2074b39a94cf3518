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
