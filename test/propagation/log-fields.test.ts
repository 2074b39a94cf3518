import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { context, INVALID_SPAN_CONTEXT, trace } from '@opentelemetry/api';
import { traceFields } from 'forktrace';
import { pino } from 'pino';
import winston from 'winston';
import { recordSpans } from '../span/recorded-spans.js';

const tracer = recordSpans().provider.getTracer('test');

/** A stream that keeps its lines, parsed. */
function lines() {
  const parsed: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      parsed.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { parsed, stream };
}

/** Logs once in a span and once outside, and checks both lines. */
function check(parsed: Record<string, unknown>[], log: () => void): void {
  const { traceId, spanId } = tracer.startActiveSpan('work', (span) => {
    log();
    span.end();
    return span.spanContext();
  });
  log();
  const [inside, outside] = parsed;
  assert.equal(inside!.trace_id, traceId);
  assert.equal(inside!.span_id, spanId);
  assert.equal(inside!.trace_flags, '01');
  assert.equal('trace_id' in outside!, false);
}

test('traceFields as a pino mixin', () => {
  const { parsed, stream } = lines();
  const logger = pino({ mixin: traceFields }, stream);
  check(parsed, () => logger.info('hello'));
});

test('traceFields in a winston format', () => {
  const { parsed, stream } = lines();
  const withTrace = winston.format((info) => Object.assign(info, traceFields()));
  const logger = winston.createLogger({
    format: winston.format.combine(withTrace(), winston.format.json()),
    transports: [new winston.transports.Stream({ stream })],
  });
  check(parsed, () => logger.info('hello'));
});

test('traceFields in a line of one’s own, for console', () => {
  const parsed: Record<string, unknown>[] = [];
  const log = (message: string) => JSON.stringify({ message, ...traceFields() });
  check(parsed, () => parsed.push(JSON.parse(log('hello'))));
});

test('a span with an invalid context has no fields', () => {
  const invalid = trace.setSpan(context.active(), trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
  assert.deepEqual(context.with(invalid, traceFields), {});
});
