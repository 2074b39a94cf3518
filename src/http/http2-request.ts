import type { Http2ServerRequest, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { context, type Span } from '@opentelemetry/api';
import { BodyObserver } from './body-observer.js';
import { CLOSED_BY_SERVER, errorType, isGone } from './error-type.js';
import type { ReadHeader } from './header-capture.js';
import type { RequestSettings } from './request-settings.js';
import { EXPOSE_HEADERS, exposing, responseHeaderValue } from './response-header.js';
import { leftRoute } from './routes/left-route.js';
import { ServerRequest, type StartedHead } from './server-request.js';

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
  readonly #response: unknown;
  readonly #emits = new Map<unknown, (...args: unknown[]) => boolean>();
  readonly #respond: ServerHttp2Stream['respond'];
  readonly #end: ServerHttp2Stream['end'];
  readonly #write: ServerHttp2Stream['write'];
  readonly #destroy: ServerHttp2Stream['destroy'];
  readonly #close: ServerHttp2Stream['close'];
  #bodies: BodyObserver | undefined = undefined;
  /** `error.type` of a stream that the app has destroyed. */
  #destroyed: string | undefined = undefined;

  /** @param compat of the compatibility API; undefined with the stream's own */
  constructor(
    settings: RequestSettings,
    head: StartedHead,
    span: Span,
    stream: ServerHttp2Stream,
    compat: { message: Http2ServerRequest; response: unknown } | undefined,
  ) {
    super(settings, head, span);
    const message = compat?.message;
    this.#stream = stream;
    this.#message = message;
    this.#response = compat === undefined ? stream : compat.response;
    this.#respond = stream.respond;
    this.#end = stream.end;
    this.#write = stream.write;
    this.#destroy = stream.destroy;
    this.#close = stream.close;
    stream.close = closeTraced as ServerHttp2Stream['close'];
    this.#bindEvents(stream);
    if (message) this.#bindEvents(message);
    stream.respond = respondTraced as ServerHttp2Stream['respond'];
    stream.end = endTraced as ServerHttp2Stream['end'];
    stream.destroy = destroyTraced as ServerHttp2Stream['destroy'];
    stream.once('close', onClose);
  }

  observeBodies(): void {
    this.#bodies = new BodyObserver(this, this.#stream, this.#stream);
    this.#stream.write = writeTraced as ServerHttp2Stream['write'];
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

  respond(args: unknown[]): void {
    const { responseHeader } = this.settings;
    const given = args[0];
    if (!responseHeader) this.#respond.apply(this.#stream, args as never);
    else {
      const headers = toObject(given);
      const exposed = exposing(headers[EXPOSE_HEADERS], responseHeader);
      const added = { [responseHeader]: responseHeaderValue(this.span), [EXPOSE_HEADERS]: exposed };
      this.#respond.apply(this.#stream, [{ ...headers, ...added }, ...args.slice(1)] as never);
    }
    this.#bodies?.started(this.#statusCode() ?? 200);
  }

  write(args: unknown[]): boolean {
    this.#bodies?.sent(args[0], args[1]);
    return this.#write.apply(this.#stream, args as never);
  }

  end(args: unknown[]): ServerHttp2Stream {
    const stream = this.#stream;
    // Of a stream that was reset nothing is sent any more, whatever the app does.
    if (!this.ended && !stream.destroyed && !stream.closed && !stream.aborted) {
      this.#bodies?.sent(args[0], args[1]);
      this.settle(this.#statusCode() ?? 200);
    }
    return (this.#end as (...args: unknown[]) => ServerHttp2Stream).apply(stream, args);
  }

  destroy(args: unknown[]): ServerHttp2Stream {
    // Node, too, destroys streams: each when it has closed, and those of a connection that is gone.
    if (!this.#stream.closed && !isGone(args[0]) && !hasLostSocket(this.#stream))
      this.#destroyed ??= args[0] ? errorType(args[0]) : CLOSED_BY_SERVER;
    return (this.#destroy as (...args: unknown[]) => ServerHttp2Stream).apply(this.#stream, args);
  }

  reset(args: unknown[]): void {
    const isReset = args[0] !== undefined && args[0] !== NO_ERROR && !this.#stream.closed;
    if (isReset && !hasLostSocket(this.#stream)) this.#destroyed ??= CLOSED_BY_SERVER;
    this.#close.apply(this.#stream, args as never);
  }

  connectionClosed(): void {
    const { rstCode, writableFinished, sentHeaders } = this.#stream;
    const isComplete = rstCode === NO_ERROR && (writableFinished || sentHeaders?.[':status'] !== undefined);
    this.close(this.#statusCode(), isComplete ? undefined : (this.#destroyed ?? 'aborted'));
  }

  #statusCode(): number | undefined {
    const status = this.#stream.sentHeaders?.[':status'];
    return status === undefined ? undefined : Number(status);
  }

  protected routeLeft(): string | undefined {
    return this.#message && leftRoute(this.#message);
  }

  protected exchange(): [unknown, unknown] {
    return [this.#message ?? this.#stream, this.#response];
  }

  protected responseHeaders(): ReadHeader {
    return (name) => this.#stream.sentHeaders?.[name];
  }
}

/** Headers as `respond` takes them: an object, or (since Node 24) names and values in turn. */
function toObject(headers: unknown): OutgoingHttpHeaders {
  if (!Array.isArray(headers)) return { ...(headers as OutgoingHttpHeaders | undefined) };
  const object: Record<string, unknown> = {};
  for (let i = 0; i < headers.length; i += 2) {
    const name = String(headers[i]).toLowerCase();
    object[name] = object[name] === undefined ? headers[i + 1] : [object[name], headers[i + 1]].flat();
  }
  return object as OutgoingHttpHeaders;
}

function respondTraced(this: Emitter, ...args: unknown[]): void {
  this[REQUEST]!.respond(args);
}

function writeTraced(this: Emitter, ...args: unknown[]): boolean {
  return this[REQUEST]!.write(args);
}

function destroyTraced(this: Emitter, ...args: unknown[]): ServerHttp2Stream {
  return this[REQUEST]!.destroy(args);
}

function endTraced(this: Emitter, ...args: unknown[]): ServerHttp2Stream {
  return this[REQUEST]!.end(args);
}

function closeTraced(this: Emitter, ...args: unknown[]): void {
  this[REQUEST]!.reset(args);
}

/** A session's socket is a proxy that may refuse to be asked. */
function hasLostSocket({ session }: ServerHttp2Stream): boolean {
  try {
    return session === undefined || session.socket.destroyed;
  } catch {
    return true;
  }
}

function emitInContext(this: Emitter, ...args: unknown[]): boolean {
  return this[REQUEST]!.emit(this, args);
}

function onClose(this: Emitter): void {
  this[REQUEST]!.connectionClosed();
}
