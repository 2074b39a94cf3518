import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { Attributes, Span, Tracer, TracerProvider } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import type { SpanLog } from '#src/journal/span-log.js';
import { JournalTracerProvider } from '#src/tracer/provider.js';
import { listen, until } from './traced-server.js';

/** Spans that take note of what they have when they are written to the in-flight table, and when they end. */
function checkpointed(note: (what: 'checkpoint' | 'end', attributes: Attributes) => void): TracerProvider {
  const provider = new BasicTracerProvider();
  const tracer = provider.getTracer('test');
  const startSpan: Tracer['startSpan'] = (...args) => {
    const span = tracer.startSpan(...args) as Span & { attributes: Attributes; checkpoint?(): void };
    const end = span.end.bind(span);
    span.checkpoint = () => note('checkpoint', { ...span.attributes });
    span.end = () => {
      note('end', { ...span.attributes });
      end();
    };
    return span;
  };
  return { getTracer: () => ({ startSpan, startActiveSpan: tracer.startActiveSpan.bind(tracer) }) };
}

test('the status is in the in-flight table before the last bytes leave, and the span ends when they have', async (t) => {
  let socket: Socket;
  const seen: [string, number, unknown, unknown][] = [];
  const { request } = await listen(
    t,
    (request, response) => {
      socket = request.socket;
      response.statusCode = 503;
      response.end('body');
      seen.push(['returned', socket.bytesWritten > 0 ? 1 : 0, undefined, undefined]);
    },
    {
      tracerProvider: checkpointed((what, attributes) =>
        seen.push([
          what,
          socket.bytesWritten > 0 ? 1 : 0,
          attributes['http.response.status_code'],
          attributes['error.type'],
        ]),
      ),
    },
  );
  await request('/');
  assert.deepEqual(seen, [
    // An interrupted span gets an error.type of its own.
    ['checkpoint', 0, 503, undefined],
    ['returned', 1, undefined, undefined],
    ['end', 1, 503, '503'],
  ]);
});

test('what a handler throws is in the in-flight table before anything else can happen', async (t) => {
  const seen: unknown[] = [];
  const server = await listen(
    t,
    (_request, response) => {
      setImmediate(() => response.end());
      throw new TypeError('gone');
    },
    {
      tracerProvider: checkpointed((what, attributes) =>
        seen.push([what, attributes['exception.type'], attributes['exception.message']]),
      ),
    },
  );
  // As a domain does: the process goes on.
  process.setUncaughtExceptionCaptureCallback(() => {});
  t.after(() => process.setUncaughtExceptionCaptureCallback(null));
  await server.request('/');
  assert.deepEqual(seen, [
    ['checkpoint', 'TypeError', 'gone'],
    ['checkpoint', 'TypeError', 'gone'],
    ['end', 'TypeError', 'gone'],
  ]);
});

test("with the journal's tracer, the status is amended to the entry that was begun and settled, then the entry is finished", async (t) => {
  const calls: string[] = [];
  const text = (bytes: Uint8Array, start: number, end: number) =>
    Buffer.from(bytes.subarray(start, end)).toString('latin1');
  const spanLog: SpanLog = {
    reserve: () => undefined,
    commit: () => void calls.push('commit'),
    append: () => void calls.push('append'),
    reserveEntry: () => undefined,
    beginReserved: () => -1,
    reserveMore: () => undefined,
    begin(_scope, bytes, start, end) {
      calls.push(`begin ${text(bytes, start, end).includes('http.request.method')}`);
      return 7;
    },
    amend(entry, bytes, start, end) {
      calls.push(`amend ${entry} ${text(bytes, start, end).includes('http.response.status_code')}`);
      return true;
    },
    settle: (entry) => void calls.push(`settle ${entry}`),
    drop() {},
    finish(entry, _bytes, _start, _end, whole) {
      calls.push(`finish ${entry} ${whole ? 'whole' : 'the rest'}`);
    },
  };
  const limits = {
    attributeValueLengthLimit: Number.POSITIVE_INFINITY,
    attributeCountLimit: 128,
    linkCountLimit: 128,
    eventCountLimit: 128,
    attributePerEventCountLimit: 128,
    attributePerLinkCountLimit: 128,
  };
  const tracerProvider = new JournalTracerProvider({ resource: {} as never, spanLimits: limits, spanLog });
  const { request } = await listen(t, (_request, response) => response.end(), { tracerProvider });
  await request('/');
  assert.deepEqual(calls, ['begin true', 'amend 7 true', 'settle 7', 'finish 7 the rest']);
});

test('route and name are in the in-flight table as soon as a router has matched', async (t) => {
  const entries: string[] = [];
  const { promise: matched, resolve: found } = withResolvers();
  const provider = new BasicTracerProvider();
  const tracer = provider.getTracer('test');
  const startSpan: Tracer['startSpan'] = (...args) => {
    const span = tracer.startSpan(...args) as Span & { name: string; attributes: Attributes; checkpoint?(): void };
    span.checkpoint = () => {
      entries.push(`${span.name} ${span.attributes['http.route']} ${span.attributes['http.response.status_code']}`);
    };
    return span;
  };
  const { default: express } = await import('express');
  const app = express();
  app.get('/work/:id', async (_request, response) => {
    await matched;
    response.send('done');
  });
  const { request } = await listen(t, app, {
    tracerProvider: { getTracer: () => ({ startSpan, startActiveSpan: tracer.startActiveSpan.bind(tracer) }) },
  });
  const answer = request('/work/7');
  await until(() => entries.length > 0, 'an entry');
  assert.deepEqual(entries, ['GET /work/:id /work/:id undefined']);
  found();
  await answer;
  assert.deepEqual(entries, ['GET /work/:id /work/:id undefined', 'GET /work/:id /work/:id 200']);
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
