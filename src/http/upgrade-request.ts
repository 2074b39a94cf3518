import type { Duplex } from 'node:stream';
import type { Span } from '@opentelemetry/api';
import { CLOSED_BY_SERVER, errorType, isGone } from './error-type.js';
import type { ReadHeader } from './header-capture.js';
import type { RequestSettings } from './request-settings.js';
import { ServerRequest, type StartedHead } from './server-request.js';

const REQUEST = Symbol('forktrace.upgrade');

type UpgradedSocket = Duplex & { [REQUEST]?: UpgradeRequest };

/** A request that takes its connection over (WebSocket, CONNECT): its span ends with the handshake. */
export class UpgradeRequest extends ServerRequest {
  readonly #message: unknown;
  readonly #socket: Duplex;
  #status: number | undefined = undefined;
  /** Methods as they were. */
  readonly write: Duplex['write'];
  readonly end: Duplex['end'];
  readonly destroy: Duplex['destroy'];
  /** `error.type` of a socket that the app has destroyed. */
  #destroyed: string | undefined = undefined;

  constructor(settings: RequestSettings, head: StartedHead, span: Span, message: unknown, socket: Duplex) {
    super(settings, head, span);
    this.#message = message;
    this.#socket = socket;
    this.write = socket.write;
    this.end = socket.end;
    this.destroy = socket.destroy;
    (socket as UpgradedSocket)[REQUEST] = this;
    socket.write = writeHandshake as Duplex['write'];
    socket.end = endHandshake as Duplex['end'];
    socket.destroy = destroyHandshake as Duplex['destroy'];
    socket.once('close', onClose);
  }

  /** The first bytes are the answer. */
  answering(chunk: unknown): void {
    this.#status = statusOf(chunk);
    if (this.#status !== undefined) this.settle(this.#status);
  }

  /** The socket is the app's own again. */
  answered(): void {
    this.#socket.write = this.write;
    this.#socket.end = this.end;
    this.#socket.destroy = this.destroy;
    this.#socket.removeListener('close', onClose);
    this.close(this.#status, undefined);
  }

  /** By the app, before it has answered; node:net does it, too, when the client has gone. */
  destroying(error: unknown): void {
    if (this.#socket.readableEnded || isGone(error)) return;
    this.#destroyed ??= error === undefined || error === null ? CLOSED_BY_SERVER : errorType(error);
  }

  connectionClosed(): void {
    this.close(undefined, this.#destroyed ?? 'aborted');
  }

  protected routeLeft(): undefined {}

  protected exchange(): [unknown, unknown] {
    return [this.#message, this.#socket];
  }

  protected responseHeaders(): ReadHeader {
    return () => undefined;
  }
}

function writeHandshake(this: UpgradedSocket, ...args: Parameters<Duplex['write']>): boolean {
  const request = this[REQUEST]!;
  request.answering(args[0]);
  const written = request.write.apply(this, args);
  request.answered();
  return written;
}

function endHandshake(this: UpgradedSocket, ...args: unknown[]): Duplex {
  const request = this[REQUEST]!;
  request.answering(args[0]);
  const ended = (request.end as (...args: unknown[]) => Duplex).apply(this, args);
  request.answered();
  return ended;
}

function destroyHandshake(this: UpgradedSocket, ...args: Parameters<Duplex['destroy']>): Duplex {
  const request = this[REQUEST]!;
  request.destroying(args[0]);
  return request.destroy.apply(this, args);
}

function onClose(this: UpgradedSocket): void {
  this[REQUEST]!.connectionClosed();
}

/** The status of a response's first line, `HTTP/1.1 101 Switching Protocols`. */
function statusOf(chunk: unknown): number | undefined {
  let line: string;
  if (typeof chunk === 'string') line = chunk.slice(0, 12);
  else if (ArrayBuffer.isView(chunk)) {
    line = Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(12, chunk.byteLength)).toString('latin1');
  } else return undefined;
  const status = /^HTTP\/1\.[01] (\d{3})$/.exec(line)?.[1];
  return status === undefined ? undefined : Number(status);
}
