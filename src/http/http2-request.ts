import type { Http2ServerRequest, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { context, type Span } from '@opentelemetry/api';
import { BodyObserver } from './body-observer.js';
import type { ReadHeader } from './header-capture.js';
import { expressRoute } from './routes/express.js';
import type { ServerPlan } from './server-plan.js';
import { ServerRequest } from './server-request.js';

const REQUEST = Symbol('forktrace.request');

/** RFC 9113 section 7. From node:http2 it would load HTTP/2 into each worker, 9 MB. */
const NO_ERROR = 0;

type Emitter = { [REQUEST]?: Http2Request; emit: (...args: unknown[]) => boolean };

/** The traced request of a stream. */
export function http2RequestOf(stream: ServerHttp2Stream): Http2Request | undefined {
  return (stream as unknown as Emitter)[REQUEST];
}

/** A stream of HTTP/2, by the compatibility API or the stream's own; its span ends with the stream. */
export class Http2Request extends ServerRequest {
  readonly #stream: ServerHttp2Stream;
  readonly #message: Http2ServerRequest | undefined;
  readonly #emits = new Map<unknown, (...args: unknown[]) => boolean>();
  readonly #respond: ServerHttp2Stream['respond'];
  readonly #end: ServerHttp2Stream['end'];
  #bodies: BodyObserver | undefined = undefined;

  constructor(plan: ServerPlan, span: Span, stream: ServerHttp2Stream, message: Http2ServerRequest | undefined) {
    super(plan, span);
    this.#stream = stream;
    this.#message = message;
    this.#respond = stream.respond;
    this.#end = stream.end;
    this.#bindEvents(stream);
    if (message) this.#bindEvents(message);
    stream.respond = respondTraced as ServerHttp2Stream['respond'];
    stream.end = endTraced as ServerHttp2Stream['end'];
    stream.once('close', onClose);
  }

  observeBodies(): void {
    this.#bodies = new BodyObserver(this, this.#stream, this.#stream);
  }

  /** Events of the body come from the session's socket, outside the handler's context. */
  #bindEvents(emitter: unknown): void {
    const bound = emitter as Emitter;
    this.#emits.set(bound, bound.emit);
    bound[REQUEST] = this;
    bound.emit = emitInContext;
  }

  emit(emitter: unknown, args: unknown[]): boolean {
    return context.with(this, this.#emits.get(emitter)!, emitter as never, ...args);
  }

  respond(headers: OutgoingHttpHeaders = {}, options: never): void {
    const { responseHeader } = this.plan;
    const sent = responseHeader ? { ...headers, [responseHeader]: this.plan.responseHeaderValue(this.span) } : headers;
    this.#bodies?.started(Number(headers[':status'] ?? 200));
    this.#respond.call(this.#stream, sent, options);
  }

  end(args: unknown[]): ServerHttp2Stream {
    if (!this.ended) {
      this.#bodies?.sent(args[0], args[1]);
      this.settle(this.#statusCode() ?? 200);
    }
    return (this.#end as (...args: unknown[]) => ServerHttp2Stream).apply(this.#stream, args);
  }

  connectionClosed(): void {
    const { rstCode, writableFinished } = this.#stream;
    const complete = rstCode === NO_ERROR && (writableFinished || this.#stream.sentHeaders?.[':status'] !== undefined);
    this.close(this.#statusCode(), complete ? undefined : 'aborted');
  }

  #statusCode(): number | undefined {
    const status = this.#stream.sentHeaders?.[':status'];
    return status === undefined ? undefined : Number(status);
  }

  protected routeLeft(): string | undefined {
    return this.#message && expressRoute(this.#message);
  }

  protected responseHeaders(): ReadHeader {
    return (name) => this.#stream.sentHeaders?.[name];
  }
}

function respondTraced(this: Emitter, headers: OutgoingHttpHeaders, options: never): void {
  this[REQUEST]!.respond(headers, options);
}

function endTraced(this: Emitter, ...args: unknown[]): ServerHttp2Stream {
  return this[REQUEST]!.end(args);
}

function emitInContext(this: Emitter, ...args: unknown[]): boolean {
  return this[REQUEST]!.emit(this, args);
}

function onClose(this: Emitter): void {
  this[REQUEST]!.connectionClosed();
}
