import { context, SpanKind } from '@opentelemetry/api';
import { describeValue, ForktraceError } from '../errors.js';
import { span } from '../span/span.js';
import { channelAttributes, checkTarget, deliver, type MessageTarget } from './channel.js';
import { enclose, open } from './envelope.js';

/**
 * A channel from which messages come: anything with `on('message')` or, like BroadcastChannel,
 * `addEventListener`.
 */
export type MessageSource =
  | {
      /** Adds a listener for messages. */
      // biome-ignore lint/suspicious/noExplicitAny: emitters type their listeners in many ways
      on(event: 'message', listener: (...args: any[]) => void): unknown;
    }
  | Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

/**
 * Sends a message with the active context, in a PRODUCER span. A plain object gets one more field, which a
 * receiver without {@link onTracedMessage} may ignore. Any other message is sent unchanged, without context.
 *
 * @param target a ChildProcess, a cluster Worker, `process`; a MessagePort, a Worker, `parentPort`, a
 * BroadcastChannel
 * @param transfer the handle to send (IPC), or the transfer list (ports)
 * @returns what the channel's `send` returns; true for ports
 *
 * @example
 * sendTraced(child, { type: 'order', id: 7 });
 *
 * @throws ForktraceError with code FORKTRACE_MESSAGE_CHANNEL for anything else as a target, and what the
 * channel itself throws
 */
export function sendTraced(target: MessageTarget, message: unknown, transfer?: unknown): boolean {
  checkTarget(target);
  return send(target, message, transfer);
}

const send = span(
  {
    name: 'send message',
    kind: SpanKind.PRODUCER,
    attributes: (target: MessageTarget) => channelAttributes(target, 'send'),
  },
  (target: MessageTarget, message: unknown, transfer: unknown) => deliver(target, enclose(message), transfer),
);

/**
 * Calls `handler` for each message, in order. A message of {@link sendTraced} arrives as it was given to it,
 * in a CONSUMER span that is a child of the sender's span and ends when the handler, or its promise, has
 * finished. Other messages have no span.
 *
 * @param handler receives the message, and the handle that came with it
 * @returns a function that stops listening
 *
 * @example
 * const stop = onTracedMessage<Order>(process, async (order) => accept(order));
 *
 * @throws ForktraceError with code FORKTRACE_MESSAGE_CHANNEL for anything that is no such channel
 */
export function onTracedMessage<Message = unknown>(
  source: MessageSource,
  handler: (message: Message, handle?: unknown) => unknown,
): () => void {
  const name = 'process message';
  const attributes = channelAttributes(source, 'process');
  const handleInSpan = span({ name, kind: SpanKind.CONSUMER, attributes }, handler);
  const receive = (received: unknown, handle?: unknown) => {
    const { message, parent } = open(received);
    if (parent === undefined) handler(message as Message, handle);
    else context.with(parent, handleInSpan, undefined, message as Message, handle);
  };
  if (isEmitter(source)) {
    source.on('message', receive);
    return () => source.off('message', receive);
  }
  const target = source as EventTarget;
  if (typeof target?.addEventListener !== 'function') {
    throw new ForktraceError('FORKTRACE_MESSAGE_CHANNEL', [describeValue(source)]);
  }
  const listener = (event: Event) => receive((event as MessageEvent).data);
  target.addEventListener('message', listener);
  return () => target.removeEventListener('message', listener);
}

type Emitter = { on(event: string, listener: unknown): void; off(event: string, listener: unknown): void };

function isEmitter(source: unknown): source is Emitter {
  return typeof (source as Emitter | null)?.on === 'function';
}
