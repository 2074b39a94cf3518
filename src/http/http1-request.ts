import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Span } from '@opentelemetry/api';
import { BodyObserver, byteLength } from './body-observer.js';
import { type Connection, connectionOf, type OpenRequest } from './connection.js';
import { CLOSED_BY_SERVER, errorType, isGone } from './error-type.js';
import type { ReadHeader } from './header-capture.js';
import type { RequestSettings } from './request-settings.js';
import { EXPOSE_HEADERS, exposing } from './response-header.js';
import { leftRoute } from './routes/left-route.js';
import { runInContext } from './run-in-context.js';
import { ServerRequest, type StartedHead } from './server-request.js';

/** Requests without a socket that we could keep them at: adapters and test tools make them up. */
const detached = new WeakMap<object, Http1Request>();
/** Nobody looks there in vain. */
let hasDetached = false;

/**
 * The open request that a response answers. It is found by its connection: a property of the response would
 * cost Express.
 */
export function http1RequestOf(response: ServerResponse): Http1Request | undefined {
  const connection = connectionOf(response.req?.socket);
  const found = connection?.find(response) as Http1Request | undefined;
  return found === undefined && hasDetached ? detached.get(response) : found;
}

/** An HTTP/1 request, from 'request' to the moment the kernel has the last byte of its response. */
export class Http1Request extends ServerRequest implements OpenRequest {
  next: OpenRequest | undefined = undefined;
  /** Undefined of one that is {@link detached}. */
  #connection: Connection | undefined = undefined;
  /** Both undefined once the response is out: see {@link finished}. */
  #message: IncomingMessage | undefined;
  #response: ServerResponse | undefined;
  #bindsBody = false;
  #bodies: BodyObserver | undefined = undefined;
  /** What was sent: the app may change `statusCode` afterwards. */
  #sentStatus: number | undefined = undefined;
  /** Those of `writeHead(status, headers)`, which `getHeader` does not find. */
  #givenHeaders: object | undefined = undefined;
  #sentBytes = 0;
  /** The kernel has taken all that Content-Length announced. */
  #isDelivered = false;
  /** `error.type` of a response that the app has destroyed. */
  #destroyed: string | undefined = undefined;

  constructor(
    settings: RequestSettings,
    head: StartedHead,
    span: Span,
    message: IncomingMessage,
    response: ServerResponse,
  ) {
    super(settings, head, span);
    this.#message = message;
    this.#response = response;
  }

  /** From here on {@link http1RequestOf} finds it: by its connection, or by its response alone. */
  openOn(connection: Connection): void {
    const response = this.#response!;
    if (connectionOf(response.req?.socket) === connection) {
      this.#connection = connection;
      connection.add(this);
    } else {
      detached.set(response, this);
      hasDetached = true;
    }
  }

  get response(): ServerResponse | undefined {
    return this.#response;
  }

  /** Body events come from the socket, outside the handler's context. */
  bindBodyEvents(): void {
    this.#bindsBody = true;
    bindEmit(this.#message!, this);
  }

  observeBodies(): void {
    this.#bodies = new BodyObserver(this, this.#message!, this.#response!);
  }

  /** `writeHead` is about to run; Node calls it itself when the app has not. */
  headSending(response: ServerResponse, args: unknown[]): void {
    const { responseHeader } = this.settings;
    if (responseHeader) exposeHeader(response, args, responseHeader);
  }

  headSent(response: ServerResponse, args: readonly unknown[]): void {
    this.#sentStatus = response.statusCode;
    this.#bodies?.started(response.statusCode);
    if (this.settings.responseHeaders === undefined) return;
    const given = args.at(-1);
    if (typeof given === 'object' && given !== null) this.#givenHeaders = given;
  }

  /** @returns the arguments for the original `write` */
  writing(response: ServerResponse, args: unknown[]): unknown[] {
    const [chunk, encoding] = args;
    this.#bodies?.sent(chunk, encoding);
    const total = contentLength(response);
    this.#sentBytes += byteLength(chunk, encoding);
    if (total === undefined || this.#sentBytes < total) return args;
    // The last write before `end`: a client that has it all may leave before `end` is called.
    this.settle(this.#sentStatus ?? response.statusCode);
    const callback = args.at(-1);
    const done = (error?: Error | null): void => {
      if (!error) this.#isDelivered = true;
      if (typeof callback === 'function') callback(error);
    };
    return typeof encoding === 'string' ? [chunk, encoding, done] : [chunk, done];
  }

  /** `end` is about to run. */
  ending(response: ServerResponse, chunk: unknown, encoding: unknown): void {
    this.#bodies?.sent(chunk, encoding);
    this.settle(this.#sentStatus ?? response.statusCode);
  }

  endCalled(response: ServerResponse): void {
    if (this.ended) return;
    const { socket } = response;
    // node:net writes at once what the kernel takes, so most responses are out here. Whatever becomes of the
    // connection before 'finish', two ticks from here, the client has them.
    const isOut =
      typeof socket?.writableLength === 'number'
        ? socket.writableLength === 0 && response.writableLength === 0 && !socket.destroyed
        : response.writableFinished === true;
    this.#isDelivered ||= isOut;
    // What has no connection goes nowhere that we could watch. Others end with their last event: see
    // observe-responses.ts.
    if (this.#connection === undefined) this.finished(response);
  }

  override processExits(): void {
    if (this.#isDelivered && this.#response?.writableEnded) this.finished(this.#response);
  }

  finished(response: ServerResponse): void {
    this.#leave();
    this.close(this.#sentStatus ?? response.statusCode, undefined);
    // What a request leaves running keeps its context, this; node:http leaves the keep-alive timer of each
    // idle connection. It need not keep message and response too: they are most of what would outlive V8's
    // young generation.
    this.#message = undefined;
    this.#response = undefined;
    this.#bodies = undefined;
  }

  /** The app destroys the response. */
  destroying(error: unknown): void {
    this.#destroyed ??= error === undefined || error === null ? CLOSED_BY_SERVER : errorType(error);
  }

  connectionClosed(): void {
    const message = this.#message!;
    const response = this.#response!;
    this.#leave();
    const status = this.#sentStatus ?? (response.headersSent ? response.statusCode : undefined);
    this.close(status, this.#hasArrived(response) ? undefined : this.#cause(message, response));
    // node:http emits 'close' on both next; the app's listeners log there.
    if (!this.#bindsBody) bindEmit(message, this);
    bindEmit(response, this);
  }

  #leave(): void {
    this.#connection?.remove(this);
  }

  /** Whether the client has the whole response, though `end` has not been called, or not come to its end. */
  #hasArrived(response: ServerResponse): boolean {
    if (this.#isDelivered) return true;
    // A response to HEAD, say, is whole with its head.
    return response.headersSent && response.writableEnded && contentLength(response) === 0;
  }

  #cause(message: IncomingMessage, response: ServerResponse): string {
    if (this.#destroyed !== undefined) return this.#destroyed;
    const { closeReason } = this.#connection ?? {};
    if (closeReason !== undefined) return closeReason;
    const socket = (message.socket ?? response.socket) as (Socket & { errored?: Error | null }) | null;
    const errored = socket?.errored;
    if (errored) return isGone(errored) ? 'aborted' : errorType(errored);
    // Closed without an error: by the other end, if it has said so.
    return socket?.readableEnded === false ? CLOSED_BY_SERVER : 'aborted';
  }

  protected routeLeft(): string | undefined {
    return this.#message && leftRoute(this.#message);
  }

  protected exchange(): [unknown, unknown] {
    return [this.#message, this.#response];
  }

  protected responseHeaders(): ReadHeader {
    return (name) => givenHeader(this.#givenHeaders, name) ?? this.#response!.getHeader(name);
  }
}

/** Events of `emitter` run in the request's context from now on. */
function bindEmit(emitter: IncomingMessage | ServerResponse, request: Http1Request): void {
  const { emit } = emitter as { emit: (...args: unknown[]) => boolean };
  if (typeof emit !== 'function') return;
  emitter.emit = function emitInContext(this: unknown, ...args: unknown[]): boolean {
    return runInContext(request, applyEmit, emit, this, args);
  } as typeof emitter.emit;
}

function applyEmit(emit: (...args: unknown[]) => boolean, emitter: unknown, args: unknown[]): boolean {
  return emit.apply(emitter, args);
}

/** Without the header, which has left when this is asked; node:http keeps the number. */
function contentLength(response: ServerResponse): number | undefined {
  if (response.req?.method === 'HEAD' || response.statusCode === 204 || response.statusCode === 304) return 0;
  const { _contentLength: length } = response as { _contentLength?: unknown };
  if (typeof length === 'number') return length;
  const header = response.getHeader?.('content-length');
  return header === undefined ? undefined : Number(header);
}

/** Headers as `writeHead` takes them: an object, or names and values in turn, where a name may come again. */
function givenHeader(headers: object | undefined, name: string): string | string[] | undefined {
  if (headers === undefined) return undefined;
  const values: string[] = [];
  for (const [given, value] of headerPairs(headers))
    if (String(given).toLowerCase() === name) values.push(value as string);
  return values.length === 0 ? undefined : values.flat();
}

function headerPairs(headers: object): [unknown, unknown][] {
  if (!Array.isArray(headers)) return Object.entries(headers);
  if (headers.every(Array.isArray)) return headers as [unknown, unknown][];
  return headers.flatMap((name, i): [unknown, unknown][] => (i % 2 === 0 ? [[name, headers[i + 1]]] : []));
}

/** See {@link EXPOSE_HEADERS}; what the app has named stays. */
function exposeHeader(response: ServerResponse, args: unknown[], name: string): void {
  const given = args.at(-1);
  if (typeof given === 'object' && given !== null) {
    const pair = headerPairs(given).find(([key]) => String(key).toLowerCase() === EXPOSE_HEADERS);
    if (pair !== undefined) {
      const value = exposing(pair[1], name);
      args[args.length - 1] = Array.isArray(given)
        ? [...headerPairs(given).filter((each) => each[0] !== pair[0]), [pair[0], value]].flat()
        : { ...given, [String(pair[0])]: value };
      return;
    }
  }
  if (!response.headersSent) response.setHeader(EXPOSE_HEADERS, exposing(response.getHeader(EXPOSE_HEADERS), name));
}
