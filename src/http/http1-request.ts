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
type Emit = (...args: unknown[]) => boolean;

/** The traced request that a response answers. */
export function http1RequestOf(response: ServerResponse): Http1Request | undefined {
  return (response as TracedResponse)[REQUEST];
}

/** An HTTP/1 request, from 'request' to the moment the kernel has the last byte of its response. */
export class Http1Request extends ServerRequest {
  readonly #connection: Connection;
  /** Both undefined once the response is out: see {@link finished}. */
  #message: IncomingMessage | undefined;
  #response: ServerResponse | undefined;
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
    message.emit = emitMessageInContext as IncomingMessage['emit'];
  }

  observeBodies(): void {
    this.#bodies = new BodyObserver(this, this.#message!, this.#response!);
  }

  /** Sees the head of the response: Node calls writeHead itself when the app has not. */
  observeHead(): void {
    const request = this;
    const response = this.#response!;
    const { writeHead } = response;
    response.writeHead = function writeHeadObserved(this: ServerResponse, ...args: Parameters<typeof writeHead>) {
      request.#bodies?.started(args[0]);
      const given: unknown = args.at(-1);
      if (typeof given === 'object' && given !== null) request.#givenHeaders = given;
      return writeHead.apply(this, args);
    } as ServerResponse['writeHead'];
  }

  end(response: ServerResponse, chunk: unknown, encoding: unknown, callback: unknown): ServerResponse {
    if (this.ended || response.writableEnded) return this.#callEnd(response, chunk, encoding, callback);
    this.#bodies?.sent(chunk, encoding);
    this.settle(response.statusCode);
    const result = this.#callEnd(response, chunk, encoding, callback);
    const { socket } = response;
    // node:net writes at once what the kernel takes, so most responses are out here, two ticks before 'finish'.
    if (socket !== null && socket.writableLength === 0 && response.writableLength === 0 && !socket.destroyed) {
      this.finished(response);
    } else {
      response.once('finish', onFinish);
    }
    return result;
  }

  #callEnd(response: ServerResponse, chunk: unknown, encoding: unknown, callback: unknown): ServerResponse {
    return this.#end.call(response, chunk, encoding as BufferEncoding, callback as () => void);
  }

  finished(response: ServerResponse): void {
    this.#connection.remove(this);
    this.close(response.statusCode, undefined);
    // What a request leaves running keeps its context, this; node:http leaves the keep-alive timer of each idle connection.
    // It need not keep message and response too: they are most of what would outlive V8's young generation.
    this.#message = undefined;
    this.#response = undefined;
    this.#bodies = undefined;
  }

  connectionClosed(): void {
    const response = this.#response!;
    this.#connection.remove(this);
    this.close(response.headersSent ? response.statusCode : undefined, this.#connection.closeReason ?? 'aborted');
    // node:http emits 'close' on both next; the app's listeners log there.
    if (this.#emitMessage === undefined) this.bindBodyEvents();
    this.#emitResponse = response.emit;
    response.emit = emitResponseInContext as ServerResponse['emit'];
  }

  emitMessage(message: IncomingMessage, args: unknown[]): boolean {
    return context.with(this, this.#emitMessage as Emit, message, ...args);
  }

  emitResponse(response: ServerResponse, args: unknown[]): boolean {
    return context.with(this, this.#emitResponse as Emit, response, ...args);
  }

  protected routeLeft(): string | undefined {
    return expressRoute(this.#message!);
  }

  protected responseHeaders(): ReadHeader {
    return (name) => givenHeader(this.#givenHeaders, name) ?? this.#response!.getHeader(name);
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
  return this[REQUEST]!.end(this, chunk, encoding, callback);
}

function onFinish(this: TracedResponse): void {
  this[REQUEST]!.finished(this);
}

function emitMessageInContext(this: TracedMessage, ...args: unknown[]): boolean {
  return this[REQUEST]!.emitMessage(this, args);
}

function emitResponseInContext(this: TracedResponse, ...args: unknown[]): boolean {
  return this[REQUEST]!.emitResponse(this, args);
}
