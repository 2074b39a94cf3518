import type { Attributes } from '@opentelemetry/api';
import { describeValue, ForktraceError } from '../errors.js';

/** IPC: a ChildProcess, a cluster Worker, or `process` in a child. */
export interface IpcChannel {
  /** Sends a message to the process at the other end. */
  send(message: unknown, handle?: unknown): boolean;
  /** Pid of the process at the other end; for `process`, pid of this process. */
  pid?: number;
  /** Only on `process`: pid of its parent. */
  ppid?: number;
  /** Only on a cluster Worker: its process. */
  process?: {
    /** Its process id. */
    pid?: number;
  };
}

/** A MessagePort, a Worker or `parentPort` of worker_threads, or a BroadcastChannel. */
export interface PortChannel {
  /** Sends a message to the other end. */
  postMessage(message: unknown, transferList?: readonly unknown[]): void;
  /** Only on a Worker: the number of the thread. */
  threadId?: number;
}

/** A channel to which a message can be sent. */
export type MessageTarget = IpcChannel | PortChannel | NodeJS.Process;

/** Sends the message by the channel's own method. */
export function deliver(target: MessageTarget, message: unknown, transfer: unknown): boolean {
  if (isPort(target)) {
    if (transfer === undefined) target.postMessage(message);
    else target.postMessage(message, transfer as readonly unknown[]);
    return true;
  }
  return (target as IpcChannel).send(message, transfer);
}

/** @throws ForktraceError with code FORKTRACE_MESSAGE_CHANNEL */
export function checkTarget(target: unknown): asserts target is MessageTarget {
  if (isPort(target) || typeof (target as IpcChannel | null)?.send === 'function') return;
  throw new ForktraceError('FORKTRACE_MESSAGE_CHANNEL', [
    target === process ? 'this process, which has no IPC channel' : describeValue(target),
  ]);
}

/** `messaging.*` of OpenTelemetry's semantic conventions, as far as a channel without a broker has them. */
export function channelAttributes(channel: unknown, operation: 'send' | 'process'): Attributes {
  const { pid, process: child, threadId } = (channel ?? {}) as Partial<IpcChannel & PortChannel>;
  let destination: string | undefined;
  if (channel === process) destination = operation === 'send' ? 'parent process' : `process ${process.pid}`;
  else if (pid !== undefined || child?.pid !== undefined) {
    destination = operation === 'send' ? `process ${pid ?? child?.pid}` : `process ${process.pid}`;
  } else if (threadId !== undefined && operation === 'send') destination = `thread ${threadId}`;
  return {
    'messaging.system': isPort(channel) ? 'node.worker_threads' : 'node.ipc',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': destination,
  };
}

function isPort(channel: unknown): channel is PortChannel {
  return typeof (channel as PortChannel | null)?.postMessage === 'function';
}
