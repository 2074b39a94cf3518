import type { IncomingMessage, ServerResponse } from 'node:http';
import { context, type Span } from '@opentelemetry/api';
import { BodyObserver } from './body-observer.js';
import type { Connection } from './connection.js';
import type { ReadHeader } from './header-capture.js';
import { expressRoute } from './routes/express.js';
import type { ServerPlan } from './server-plan.js';
import { ServerRequest } from './server-request.js';

const REQUEST = Symbol('forktrace.request');

type TracedMessage = IncomingMessage & { [REQUEST]?: Http1Request };
type TracedResponse = ServerResponse & { [REQUEST]?: Http1Request };

/** The traced request that a response answers. */
export function http1RequestOf(response: ServerResponse): Http1Request | undefined {
  return (response as TracedResponse)[REQUEST];
}

/** An HTTP/1 request, from 'request' to the moment the kernel has the last byte of its response. */
export class Http1Request extends ServerRequest {
  readonly #connection: Connection;
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  /** Methods as they were. */
  readonly #end: ServerResponse['end'];
  #emitMessage: IncomingMessage['emit'] | undefined = undefined;
  #emitResponse: ServerResponse['emit'] | undefined = undefined;
  #bodies: BodyObserver | undefined = undefined;
  /** Those of `writeHead(status, headers)`, which `getHeader` does not find. */
  #givenHeaders: object | undefined = undefined;

  constructor(
    plan: ServerPlan,
    span: Span,
    connection: Connection,
    message: IncomingMessage,
    response: ServerResponse,
  ) {
    super(plan, span);
    this.#connection = connection;
    this.#message = message;
    this.#response = response;
    this.#end = response.end;
    // Own properties that are shared functions: no closure and no listener per request.
    (response as TracedResponse)[REQUEST] = this;
    response.end = endTraced as ServerResponse['end'];
    connection.add(this);
  }

  /** Body events come from the socket, outside the handler's context. */
  bindBodyEvents(): void {
    const message = this.#message as TracedMessage;
    message[REQUEST] = this;
    this.#emitMessage = message.emit;
    message.emit = emitInContext as IncomingMessage['emit'];
  }

  observeBodies(): void {
    this.#bodies = new BodyObserver(this, this.#message, this.#response);
  }

  /** Sees the head of the response: Node calls writeHead itself when the app has not. */
  observeHead(): void {
    const request = this;
    const { writeHead } = this.#response;
    this.#response.writeHead = function writeHeadObserved(this: ServerResponse, ...args: Parameters<typeof writeHead>) {
      request.#bodies?.started(args[0]);
      const given: unknown = args.at(-1);
      if (typeof given === 'object' && given !== null) request.#givenHeaders = given;
      return writeHead.apply(this, args);
    } as ServerResponse['writeHead'];
  }

  end(chunk: unknown, encoding: unknown, callback: unknown): ServerResponse {
    const response = this.#response;
    if (this.ended || response.writableEnded) return this.#callEnd(chunk, encoding, callback);
    this.#bodies?.sent(chunk, encoding);
    this.settle(response.statusCode);
    const result = this.#callEnd(chunk, encoding, callback);
    const { socket } = response;
    // node:net writes at once what the kernel takes, so most responses are out here, two ticks before 'finish'.
    if (socket !== null && socket.writableLength === 0 && response.writableLength === 0 && !socket.destroyed) {
      this.finished();
    } else {
      response.once('finish', onFinish);
    }
    return result;
  }

  #callEnd(chunk: unknown, encoding: unknown, callback: unknown): ServerResponse {
    return this.#end.call(this.#response, chunk, encoding as BufferEncoding, callback as () => void);
  }

  finished(): void {
    this.#connection.remove(this);
    this.close(this.#response.statusCode, undefined);
  }

  connectionClosed(): void {
    const response = this.#response;
    this.#connection.remove(this);
    this.close(response.headersSent ? response.statusCode : undefined, this.#connection.closeReason ?? 'aborted');
    // node:http emits 'close' on both next; the app's listeners log there.
    if (this.#emitMessage === undefined) this.bindBodyEvents();
    this.#emitResponse = response.emit;
    response.emit = emitInContext as ServerResponse['emit'];
  }

  emit(emitter: IncomingMessage | ServerResponse, args: unknown[]): boolean {
    const emit = emitter === this.#message ? this.#emitMessage : this.#emitResponse;
    return context.with(this, emit as (...args: unknown[]) => boolean, emitter, ...args);
  }

  protected routeLeft(): string | undefined {
    return expressRoute(this.#message);
  }

  protected responseHeaders(): ReadHeader {
    return (name) => givenHeader(this.#givenHeaders, name) ?? this.#response.getHeader(name);
  }
}

/** Headers as `writeHead` takes them: an object, or names and values in turn. */
function givenHeader(headers: object | undefined, name: string): string | string[] | undefined {
  if (headers === undefined) return undefined;
  const pairs = Array.isArray(headers) ? chunked(headers.flat()) : Object.entries(headers);
  return pairs.find(([given]) => String(given).toLowerCase() === name)?.[1] as string | string[] | undefined;
}

function chunked(list: unknown[]): [unknown, unknown][] {
  return list.flatMap((name, i): [unknown, unknown][] => (i % 2 === 0 ? [[name, list[i + 1]]] : []));
}

function endTraced(this: TracedResponse, chunk: unknown, encoding: unknown, callback: unknown): ServerResponse {
  return this[REQUEST]!.end(chunk, encoding, callback);
}

function onFinish(this: TracedResponse): void {
  this[REQUEST]!.finished();
}

function emitInContext(this: TracedMessage | TracedResponse, ...args: unknown[]): boolean {
  return this[REQUEST]!.emit(this, args);
}
