import { EventEmitter } from 'node:events';
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type {
  Http2SecureServer,
  Http2Server,
  Http2ServerRequest,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { ResolvedHttp } from '../config/resolved.js';
import type { HttpTracingConfig } from '../config/types.js';
import { describeValue, ForktraceError } from '../errors.js';
import { UNTRACED } from '../untraced.js';
import { activeRequest } from './active-request.js';
import { Connection, connect, connectionOf } from './connection.js';
import { handlerThrows, recordCrashes } from './crash-recorder.js';
import { errorType, isGone } from './error-type.js';
import { guarded, said } from './guard.js';
import { Http1Request, http1RequestOf } from './http1-request.js';
import { Http2Request, http2RequestOf } from './http2-request.js';
import { MeasuredRequest } from './measured-request.js';
import { observeResponse, observeResponses } from './observe-responses.js';
import { isTracedAlready, withoutOtherSpans } from './other-instrumentation.js';
import type { RequestSource } from './request-head.js';
import { responseHeaderValue } from './response-header.js';
import { watchFrameworks, watchLoadedFrameworks } from './routes/watch-frameworks.js';
import { enterCallback, runInContext } from './run-in-context.js';
import type { ServerRequest } from './server-request.js';
import { EXCLUDED, ServerSpans } from './server-spans.js';
import { UpgradeRequest } from './upgrade-request.js';
import { followWorkerHttp, serverHttp } from './worker-http.js';

/** A server whose requests can be traced. */
export type TraceableServer = HttpServer | HttpsServer | Http2Server | Http2SecureServer;

/**
 * Traces the requests of `server`: each has a SERVER span that follows the stable HTTP semantic conventions.
 * It may be called at any time, and affects requests that begin afterwards. A second call for the same server
 * does nothing.
 *
 * @param options override the `http` options with which tracing was started in this process
 *
 * @example
 * const server = http.createServer(handler);
 * traceServer(server, { trustProxy: true });
 * server.listen(3000);
 *
 * @throws ForktraceError with code FORKTRACE_CONFIG_INVALID when `server` is no such server, or an option is
 * wrong
 */
export function traceServer(server: TraceableServer, options: HttpTracingConfig = {}): void {
  const tracer = instrumentServer(server, () => serverHttp(options));
  if (tracer) followWorkerHttp(tracer);
}

const tracers = new WeakMap<object, ServerTracer>();

/**
 * Whether the requests of `server` have spans: ours, or those of an instrumentation that has wrapped its
 * class.
 */
export function isServerTraced(server: TraceableServer): boolean {
  return tracers.has(server) || '__original' in Object.getPrototypeOf(server).emit;
}

/** {@link traceServer} with options that are resolved. Undefined when the server is traced already. */
export function instrumentServer(server: TraceableServer, options: () => ResolvedHttp): ServerTracer | undefined {
  if (typeof (server as Partial<TraceableServer> | undefined)?.emit !== 'function') {
    const expected = 'an http, https or http2 server';
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', ['server of traceServer', describeValue(server), expected]);
  }
  if (tracers.has(server)) return undefined;
  const tracer = new ServerTracer(server, options);
  tracers.set(server, tracer);
  recordCrashes();
  observeResponses(answeredByNode);
  watchFrameworks();
  return tracer;
}

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** Sees each request of one server before any listener does, whoever adds or replaces listeners later. */
class ServerTracer {
  readonly #server: TraceableServer;
  readonly #options: () => ResolvedHttp;
  #spans: ServerSpans;
  readonly #isHttp2: boolean;
  readonly #ownEmit: Emit | undefined;
  /** What the server's class has as `emit`, and what of it we call. */
  #classEmit: Emit | undefined = undefined;
  #calledEmit: Emit = EventEmitter.prototype.emit;
  /** The class's `emit` makes SERVER spans of its own and cannot be called without them. */
  #isTracedInside = false;
  #hasServed = false;

  constructor(server: TraceableServer, options: () => ResolvedHttp) {
    this.#server = server;
    this.#options = options;
    this.#spans = new ServerSpans(options());
    // Not `instanceof`: loading node:https and node:http2 for it takes 14 MB.
    this.#isHttp2 = typeof (server as Partial<Http2Server>).updateSettings === 'function';
    this.#ownEmit = Object.hasOwn(server, 'emit') ? (server.emit as Emit) : undefined;
    const tracer = this;
    server.emit = function emitTraced(event: string | symbol, ...args: unknown[]): boolean {
      if (event === 'request') return tracer.#request(event, args[0] as IncomingMessage, args[1] as ServerResponse);
      return tracer.#emit(event, args);
    };
  }

  /** The options have changed: requests that come from now on have the new ones. */
  follow(): void {
    this.#spans = new ServerSpans(this.#options());
  }

  #emit(event: string | symbol, args: unknown[]): boolean {
    switch (event) {
      case 'checkContinue':
      case 'checkExpectation':
        return this.#request(event, args[0] as IncomingMessage, args[1] as ServerResponse);
      case 'stream':
        return this.#stream(args as never);
      case 'upgrade':
      case 'connect':
        return this.#upgrade(event, args);
      case 'timeout':
        closeReason(args[0], 'timeout');
        break;
      case 'clientError':
        if (!isGone(args[0])) closeReason(args[1], args[0] instanceof Error ? errorType(args[0]) : 'client_error');
        return this.#outsideOfRequests(event, args);
      case 'dropRequest':
        return this.#outsideOfRequests(event, args);
    }
    return this.#original().apply(this.#server, [event, ...args]);
  }

  /** What came before it in the same packet is active still: see {@link enterCallback}. */
  #outsideOfRequests(event: string, args: unknown[]): boolean {
    const emit = this.#original();
    if (activeRequest() === undefined) return emit.apply(this.#server, [event, ...args]);
    return runInContext(ROOT_CONTEXT, applyEmit, emit, this.#server, [event, ...args]);
  }

  /** An instrumentation may wrap the class's `emit` at any time. */
  #original(): Emit {
    if (this.#ownEmit !== undefined) return this.#ownEmit;
    const classEmit = Object.getPrototypeOf(this.#server).emit as Emit;
    if (classEmit !== this.#classEmit) {
      this.#classEmit = classEmit;
      const emit = withoutOtherSpans(classEmit);
      this.#isTracedInside = emit === undefined;
      this.#calledEmit = emit ?? classEmit;
    }
    return this.#calledEmit;
  }

  #request(event: string, message: IncomingMessage, response: ServerResponse): boolean {
    if (!this.#hasServed) this.#firstRequest();
    if (this.#isHttp2 && (message as unknown as Http2ServerRequest | undefined)?.stream !== undefined) {
      return this.#compatRequest(event, message as unknown as Http2ServerRequest, response);
    }
    const emit = this.#original();
    let request: Http1Request | typeof EXCLUDED | undefined;
    try {
      // A 'checkContinue' listener emits 'request' for the same response.
      if (!this.#isTracedInside && http1RequestOf(response) === undefined && !isTracedAlready())
        request = this.#open(message, response);
    } catch (error) {
      said(error);
    }
    if (request === undefined) return emit.call(this.#server, event, message, response);
    if (request === EXCLUDED) return this.#excluded(emit, message, [event, message, response]);
    let throws = true;
    try {
      const isHeard = enterCallback(request, message)
        ? emit.call(this.#server, event, message, response)
        : runInContext(request, emitIn, emit, this.#server, event, message, response);
      throws = false;
      return isHeard;
    } finally {
      if (throws) handlerThrows(request);
    }
  }

  #open(message: IncomingMessage, response: ServerResponse): Http1Request | typeof EXCLUDED | undefined {
    const spans = this.#spans;
    const { head } = spans;
    const connection = this.#connectionOf(message, response);
    head.readMessage(message, connection, spans.incoming.fields);
    const span = spans.startSpan(message);
    if (span === undefined || span === EXCLUDED) return span;
    const request = new Http1Request(spans, head, span, message, response);
    request.openOn(connection);
    if (head.hasBody) request.bindBodyEvents();
    if (spans.observesBodies) request.observeBodies();
    if (spans.responseHeader && !response.headersSent)
      response.setHeader(spans.responseHeader, responseHeaderValue(span));
    this.#started(request, message, response);
    return request;
  }

  /** node:http has answered by itself, within the call that would have emitted 'request'. */
  answered(message: IncomingMessage, response: ServerResponse): Http1Request | undefined {
    this.#original();
    if (this.#isTracedInside) return undefined;
    const request = this.#open(message, response);
    return request === EXCLUDED ? undefined : request;
  }

  /** What follows once the span of a request has started. */
  #started(request: ServerRequest, source: RequestSource, response: unknown): void {
    const { metrics, head } = this.#spans;
    if (metrics !== undefined) request.measured = new MeasuredRequest(metrics, request, head);
    this.#spans.runSpanHooks(request.span, source, response);
  }

  #connectionOf(message: IncomingMessage, response: ServerResponse): Connection {
    const { socket } = message;
    const connection = connectionOf(socket);
    if (connection !== undefined) return connection;
    this.#spans.connected();
    // Of a response that is not on this socket we could not tell that it is out. node:http puts the first one
    // there at once.
    const isUsual =
      typeof socket?.prependListener === 'function' && response.req === message && response.socket === socket;
    return isUsual ? connect(socket) : this.#detached(socket, response);
  }

  #detached(socket: Socket | undefined, response: ServerResponse): Connection {
    observeResponse(response);
    return new Connection(socket);
  }

  /** What an excluded request does is not traced either. */
  #excluded(emit: Emit, message: IncomingMessage, args: [string, ...unknown[]]): boolean {
    if (this.#spans.head.hasBody) guarded(() => context.bind(UNTRACED, message));
    return runInContext(UNTRACED, applyEmit, emit, this.#server, args);
  }

  #run(request: ServerRequest, emit: Emit, args: [string, ...unknown[]]): boolean {
    let throws = true;
    try {
      const isHeard = context.with(request, emit, this.#server, ...args);
      throws = false;
      return isHeard;
    } finally {
      if (throws) handlerThrows(request);
    }
  }

  /** The stream API: with listeners for 'request', that event follows and is traced instead. */
  #stream(args: [ServerHttp2Stream, IncomingHttpHeaders, ...unknown[]]): boolean {
    const emit = this.#original();
    const [stream, headers] = args;
    if (this.#server.listenerCount('request') > 0) return emit.call(this.#server, 'stream', ...args);
    const request = guarded(() => this.#openStream(stream, headers));
    if (request === undefined) return emit.call(this.#server, 'stream', ...args);
    if (request === EXCLUDED) return context.with(UNTRACED, emit, this.#server, 'stream', ...args);
    return this.#run(request, emit, ['stream', ...args]);
  }

  #compatRequest(event: string, message: Http2ServerRequest, response: unknown): boolean {
    const emit = this.#original();
    const request =
      http2RequestOf(message.stream) === undefined
        ? guarded(() => this.#openStream(message.stream, message.headers, { message, response }))
        : undefined;
    if (request === undefined) return emit.call(this.#server, event, message, response);
    if (request === EXCLUDED) return context.with(UNTRACED, emit, this.#server, event, message, response);
    return this.#run(request, emit, [event, message, response]);
  }

  #openStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    compat?: { message: Http2ServerRequest; response: unknown },
  ): Http2Request | typeof EXCLUDED | undefined {
    const spans = this.#spans;
    const socket = stream.session?.socket;
    if (socket === undefined || this.#isTracedInside || isTracedAlready()) return undefined;
    spans.connected();
    spans.head.readStream(stream, headers, sessionConnection(stream));
    const source = compat?.message ?? stream;
    const span = spans.startSpan(source);
    if (span === undefined || span === EXCLUDED) return span;
    const request = new Http2Request(spans, spans.head, span, stream, compat);
    if (spans.observesBodies) request.observeBodies();
    this.#started(request, source, compat === undefined ? stream : compat.response);
    return request;
  }

  #upgrade(event: string, args: unknown[]): boolean {
    const emit = this.#original();
    const [message, socket] = args as [IncomingMessage, Duplex];
    // HTTP/2's compatibility API emits 'connect' with a response.
    const isOurs = !this.#isHttp2 && this.#server.listenerCount(event) > 0 && !this.#isTracedInside;
    const request = isOurs ? guarded(() => this.#openUpgrade(message, socket)) : undefined;
    if (request === undefined) return emit.call(this.#server, event, ...args);
    if (request === EXCLUDED) return runInContext(UNTRACED, applyEmit, emit, this.#server, [event, ...args]);
    return this.#run(request, emit, [event, ...args]);
  }

  #openUpgrade(message: IncomingMessage, socket: Duplex): UpgradeRequest | typeof EXCLUDED | undefined {
    if (isTracedAlready()) return undefined;
    const spans = this.#spans;
    const connection = connectionOf(message.socket) ?? this.#connectUpgrade(message.socket);
    spans.head.readMessage(message, connection, spans.incoming.fields);
    const span = spans.startSpan(message);
    if (span === undefined || span === EXCLUDED) return span;
    const request = new UpgradeRequest(spans, spans.head, span, message, socket);
    this.#started(request, message, socket);
    return request;
  }

  #connectUpgrade(socket: Socket | undefined): Connection {
    this.#spans.connected();
    return typeof socket?.prependListener === 'function' ? connect(socket) : new Connection(socket);
  }

  /** By now the app's modules are loaded. */
  #firstRequest(): void {
    this.#hasServed = true;
    watchLoadedFrameworks(this.#server.listeners('request'));
  }
}

function emitIn(emit: Emit, server: TraceableServer, event: string, message: unknown, response: unknown): boolean {
  return emit.call(server, event, message, response);
}

function applyEmit(emit: Emit, server: TraceableServer, args: [string, ...unknown[]]): boolean {
  return emit.apply(server, args);
}

/**
 * Which responses node:http gives without a 'request' event (lib/_http_server.js, `parserOnIncoming`): 400
 * without a Host, 503 for one request too many on a connection (`maxRequestsPerSocket`), 417 for an
 * expectation that nobody listens for.
 */
function answeredByNode(response: ServerResponse): Http1Request | undefined {
  const { req, statusCode } = response;
  if (statusCode !== 400 && statusCode !== 417 && statusCode !== 503) return undefined;
  const { server } = (req?.socket ?? {}) as { server?: object };
  const tracer = server && tracers.get(server);
  if (tracer === undefined) return undefined;
  const isNodes =
    (statusCode === 400 && req.headers.host === undefined) ||
    (statusCode === 417 && req.headers.expect !== undefined) ||
    (statusCode === 503 &&
      (response as { maxRequestsOnConnectionReached?: boolean }).maxRequestsOnConnectionReached === true);
  return isNodes ? tracer.answered(req, response) : undefined;
}

const sessions = new WeakMap<object, Connection>();

/**
 * A session's socket is a proxy that refuses some of what {@link connect} does; its streams end by
 * themselves.
 */
function sessionConnection(stream: ServerHttp2Stream): Connection {
  const session = stream.session!;
  let connection = sessions.get(session);
  if (connection === undefined) {
    connection = new Connection(session.socket as Socket);
    sessions.set(session, connection);
  }
  return connection;
}

function closeReason(socket: unknown, reason: string): void {
  const connection = connectionOf(socket as Socket | undefined);
  if (connection !== undefined) connection.closeReason = reason;
}
