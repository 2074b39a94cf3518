import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { BroadcastChannel, MessageChannel, Worker } from 'node:worker_threads';
import { propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { onTracedMessage, sendTraced } from 'forktrace';
import { fixture } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { recordSpans } from '../span/recorded-spans.js';

const recorded = recordSpans();
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
const path = fixture('traced-child');

interface ChildSpan {
  name: string;
  kind: SpanKind;
  traceId: string;
  spanId: string;
  parent: string | undefined;
  attributes: Record<string, unknown>;
}

function killAfter(t: { after(fn: () => void): void }, child: ChildProcess): ChildProcess {
  t.after(() => child.kill('SIGKILL'));
  return child;
}

for (const [kind, start] of [
  ['child_process IPC', (t: never, count: string) => killAfter(t, fork(path, ['echo', count]))],
  ['a worker thread', (_: never, count: string) => new Worker(pathToFileURL(path), { argv: ['echo', count] })],
] as const) {
  test(`${kind}: a PRODUCER span here, its CONSUMER child there, there and back, in order`, async (t) => {
    recorded.take();
    const channel = start(t as never, '20');
    const echoes: { echo: { n: number }; active: string | undefined }[] = [];
    let ended: ChildSpan[] | undefined;
    const stop = onTracedMessage<{ spans?: ChildSpan[] } & (typeof echoes)[0]>(channel, (message) => {
      if (message.spans) ended = message.spans;
      else echoes.push(message);
    });
    for (let n = 0; n < 20; n++) sendTraced(channel, { n, type: 'order' });
    const theirs = await waitFor(() => ended, 'the spans of the other side');
    stop();
    if ('terminate' in channel) await channel.terminate();

    assert.deepEqual(
      echoes.map(({ echo }) => echo),
      Array.from({ length: 20 }, (_, n) => ({ n, type: 'order' })),
      'each message came as it was sent, in order',
    );
    const ours = recorded.take();
    const sent = ours.filter((span) => span.kind === SpanKind.PRODUCER);
    const answers = ours.filter((span) => span.kind === SpanKind.CONSUMER);
    const received = theirs.filter((span) => span.kind === SpanKind.CONSUMER);
    const answered = theirs.filter((span) => span.kind === SpanKind.PRODUCER);
    assert.deepEqual([sent.length, received.length, answered.length, answers.length], [20, 20, 20, 20]);
    sent.forEach((span, i) => {
      assert.equal(received[i]!.parent, span.spanContext().spanId);
      assert.equal(answered[i]!.parent, received[i]!.spanId);
      assert.equal(answers[i]!.parentSpanContext!.spanId, answered[i]!.spanId);
      assert.equal(echoes[i]!.active, received[i]!.spanId, 'the CONSUMER span is active in the handler');
    });
    const system = kind === 'a worker thread' ? 'node.worker_threads' : 'node.ipc';
    assert.equal(sent[0]!.attributes['messaging.system'], system);
    assert.equal(sent[0]!.attributes['messaging.operation.type'], 'send');
    assert.equal(received[0]!.attributes['messaging.operation.type'], 'process');
  });
}

test('a receiver without forktrace reads its own message', async (t) => {
  const child = killAfter(t, fork(path, ['plain']));
  sendTraced(child, { type: 'order', items: [1, 2] });
  const [{ received }] = (await once(child, 'message')) as [{ received: Record<string, unknown> }];
  child.disconnect();
  assert.equal(received.type, 'order');
  assert.deepEqual(received.items, [1, 2]);
});

test('messages that are no plain objects go and come as they are', async () => {
  recorded.take();
  const { port1, port2 } = new MessageChannel();
  const received: unknown[] = [];
  onTracedMessage(port2, (message) => void received.push(message));
  const messages = ['text', 7, null, [1, { a: 1 }], new Map([['k', 'v']]), new Date(0), { plain: true }];
  for (const message of messages) sendTraced(port1, message);
  await waitFor(() => received.length === messages.length, 'all messages');
  port1.close();
  assert.deepEqual(received, messages);
  assert.equal(recorded.take().filter((span) => span.kind === SpanKind.CONSUMER).length, 1, 'only one has context');
});

test('transferables are transferred, not copied', async () => {
  const { port1, port2 } = new MessageChannel();
  const bytes = new ArrayBuffer(8);
  const sent = once(port2, 'message');
  sendTraced(port1, { bytes }, [bytes]);
  const [message] = await sent;
  port1.close();
  assert.equal(message.bytes.byteLength, 8);
  assert.equal(bytes.byteLength, 0);
});

test('a BroadcastChannel, which has no on(), is listened to as well', async () => {
  const [from, to] = [new BroadcastChannel('test'), new BroadcastChannel('test')];
  const received: unknown[] = [];
  const stop = onTracedMessage(to as never, (message) => void received.push([message, !!trace.getActiveSpan()]));
  sendTraced(from as never, { hello: 1 });
  await waitFor(() => received.length, 'the message');
  stop();
  from.close();
  to.close();
  assert.deepEqual(received, [[{ hello: 1 }, true]]);
});

test('the sender’s object is left as it is, and a frozen one can be sent', () => {
  const sent: unknown[] = [];
  const message = Object.freeze({ a: 1 });
  sendTraced({ send: (given: unknown) => sent.push(given) > 0 }, message);
  assert.deepEqual(Object.keys(message), ['a']);
  assert.equal((sent[0] as { a: number }).a, 1);
});

test('what a handler throws is recorded on the CONSUMER span and thrown on', () => {
  recorded.take();
  const source = new EventEmitter();
  onTracedMessage(source, () => {
    throw new Error('bad message');
  });
  let wire: unknown;
  const send = (message: unknown) => {
    wire = message;
    return true;
  };
  sendTraced({ send }, { a: 1 });
  assert.throws(() => source.emit('message', wire), /bad message/);
  const failed = recorded.take().at(-1)!;
  assert.equal(failed.kind, SpanKind.CONSUMER);
  assert.equal(failed.status.code, SpanStatusCode.ERROR);
});

test('a malformed envelope is no context, and breaks nothing', () => {
  const source = new EventEmitter();
  const received: unknown[] = [];
  onTracedMessage(source, (message) => void received.push(message));
  for (const envelope of [null, 5, {}, { traceparent: 'x' }, { traceparent: 7 }, []]) {
    source.emit('message', { a: 1, 'forktrace.context': envelope });
  }
  assert.deepEqual(received, Array(6).fill({ a: 1 }));
});

test('something that is no channel is an error with a code', () => {
  assert.throws(() => sendTraced({} as never, {}), { code: 'FORKTRACE_MESSAGE_CHANNEL' });
  assert.throws(() => onTracedMessage(undefined as never, () => {}), { code: 'FORKTRACE_MESSAGE_CHANNEL' });
});
