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
import { context } from '@opentelemetry/api';
import type { ResolvedHttp } from '../config/resolved.js';
import type { HttpTracingConfig } from '../config/types.js';
import { describeValue, ForktraceError } from '../errors.js';
import { Connection, connect, connectionOf } from './connection.js';
import { recordCrashes } from './crash-recorder.js';
import { Http1Request, http1RequestOf } from './http1-request.js';
import { Http2Request, http2RequestOf } from './http2-request.js';
import { isTracedAlready, unwrapEmit } from './other-instrumentation.js';
import { onFastifyRoute } from './routes/fastify.js';
import { watchLoadedKoa } from './routes/koa.js';
import { runInContext } from './run-in-context.js';
import { ServerPlan } from './server-plan.js';
import type { ServerRequest } from './server-request.js';
import { UpgradeRequest } from './upgrade-request.js';
import { followWorkerHttp, serverHttp } from './worker-http.js';

/** A server whose requests can be traced. */
export type TraceableServer = HttpServer | HttpsServer | Http2Server | Http2SecureServer;

/**
 * A SERVER span for each request of `server`, by the stable HTTP semantic conventions. Call it at any time; requests that
 * have begun are left alone. A second call for the same server does nothing.
 *
 * @param options over the `http` options that tracing in this process was started with
 *
 * @example
 * const server = http.createServer(handler);
 * traceServer(server, { trustProxy: true });
 * server.listen(3000);
 *
 * @throws ForktraceError with code FORKTRACE_CONFIG_INVALID
 */
export function traceServer(server: TraceableServer, options: HttpTracingConfig = {}): void {
  const tracer = instrumentServer(server, () => serverHttp(options));
  if (tracer) followWorkerHttp(tracer);
}

const tracers = new WeakMap<object, ServerTracer>();

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
  onFastifyRoute((response, route) => {
    const request = http1RequestOf(response);
    if (request) request.route = route;
  });
  return tracer;
}

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** Sees each request of one server before any listener does, whoever adds or replaces listeners later. */
class ServerTracer {
  readonly #server: TraceableServer;
  readonly #options: () => ResolvedHttp;
  #plan: ServerPlan;
  readonly #isHttp2: boolean;
  readonly #ownEmit: Emit | undefined;
  /** What the server's class has as `emit`, and what of it we call. */
  #classEmit: Emit | undefined = undefined;
  #unwrappedEmit: Emit = EventEmitter.prototype.emit;
  #hasServed = false;

  constructor(server: TraceableServer, options: () => ResolvedHttp) {
    this.#server = server;
    this.#options = options;
    this.#plan = new ServerPlan(options());
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
    this.#plan = new ServerPlan(this.#options());
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
        closeReason(args[0] as Socket, 'timeout');
        break;
      case 'clientError':
        closeReason(args[1] as Socket, (args[0] as NodeJS.ErrnoException).code ?? 'client_error');
        break;
    }
    return this.#original().apply(this.#server, [event, ...args]);
  }

  /** An instrumentation may wrap the class's `emit` at any time. */
  #original(): Emit {
    if (this.#ownEmit !== undefined) return this.#ownEmit;
    const classEmit = Object.getPrototypeOf(this.#server).emit as Emit;
    if (classEmit !== this.#classEmit) {
      this.#classEmit = classEmit;
      this.#unwrappedEmit = unwrapEmit(classEmit);
    }
    return this.#unwrappedEmit;
  }

  #request(event: string, message: IncomingMessage, response: ServerResponse): boolean {
    if (!this.#hasServed) this.#firstRequest();
    const plan = this.#plan;
    const emit = this.#original();
    if (this.#isHttp2 && (message as unknown as Http2ServerRequest).stream !== undefined) {
      return this.#compatRequest(event, message as unknown as Http2ServerRequest, response);
    }
    // A 'checkContinue' listener emits 'request' for the same response.
    if (http1RequestOf(response) !== undefined || isTracedAlready()) {
      return emit.call(this.#server, event, message, response);
    }
    const { socket } = message;
    const connection = connectionOf(socket) ?? this.#connect(socket);
    const { head } = plan;
    head.readMessage(message, connection, plan.incoming.fields);
    const span = plan.startSpan(message);
    if (span === undefined) return emit.call(this.#server, event, message, response);
    const request = new Http1Request(plan, span, connection, message, response);
    if (head.hasBody) request.bindBodyEvents();
    if (plan.observesBodies) request.observeBodies();
    if (plan.observesHeads) request.observeHead();
    if (plan.responseHeader) response.setHeader(plan.responseHeader, plan.responseHeaderValue(span));
    plan.started(request, message);
    try {
      return runInContext(request, emitIn, emit, this.#server, event, message, response);
    } catch (error) {
      request.threw(error);
      throw error;
    }
  }

  #run(request: ServerRequest, emit: Emit, args: [string, ...unknown[]]): boolean {
    try {
      return context.with(request, emit, this.#server, ...args);
    } catch (error) {
      request.threw(error);
      throw error;
    }
  }

  /** The stream API: with listeners for 'request', that event follows and is traced instead. */
  #stream(args: [ServerHttp2Stream, IncomingHttpHeaders, ...unknown[]]): boolean {
    const emit = this.#original();
    const [stream, headers] = args;
    if (this.#server.listenerCount('request') > 0) return emit.call(this.#server, 'stream', ...args);
    const request = this.#openStream(stream, headers, undefined);
    if (request === undefined) return emit.call(this.#server, 'stream', ...args);
    return this.#run(request, emit, ['stream', ...args]);
  }

  #compatRequest(event: string, message: Http2ServerRequest, response: unknown): boolean {
    const emit = this.#original();
    const request =
      http2RequestOf(message.stream) === undefined
        ? this.#openStream(message.stream, message.headers, message)
        : undefined;
    if (request === undefined) return emit.call(this.#server, event, message, response);
    return this.#run(request, emit, [event, message, response]);
  }

  #openStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    message: Http2ServerRequest | undefined,
  ): Http2Request | undefined {
    const plan = this.#plan;
    const socket = stream.session?.socket;
    if (socket === undefined || isTracedAlready()) return undefined;
    plan.connected();
    plan.head.readStream(stream, headers, sessionConnection(stream));
    const source = message ?? stream;
    const span = plan.startSpan(source);
    if (span === undefined) return undefined;
    const request = new Http2Request(plan, span, stream, message);
    if (plan.observesBodies) request.observeBodies();
    plan.started(request, source);
    return request;
  }

  #upgrade(event: string, args: unknown[]): boolean {
    const emit = this.#original();
    const [message, socket] = args as [IncomingMessage, Duplex];
    // HTTP/2's compatibility API emits 'connect' with a response.
    if (this.#isHttp2 || this.#server.listenerCount(event) === 0 || isTracedAlready()) {
      return emit.call(this.#server, event, ...args);
    }
    const plan = this.#plan;
    const connection = connectionOf(message.socket) ?? this.#connect(message.socket);
    plan.head.readMessage(message, connection, plan.incoming.fields);
    const span = plan.startSpan(message);
    if (span === undefined) return emit.call(this.#server, event, ...args);
    const request = new UpgradeRequest(plan, span, socket);
    plan.started(request, message);
    return this.#run(request, emit, [event, ...args]);
  }

  #connect(socket: Socket): Connection {
    this.#plan.connected();
    return connect(socket);
  }

  /** By now the app's modules are loaded. */
  #firstRequest(): void {
    this.#hasServed = true;
    watchLoadedKoa();
  }
}

function emitIn(emit: Emit, server: TraceableServer, event: string, message: unknown, response: unknown): boolean {
  return emit.call(server, event, message, response);
}

const sessions = new WeakMap<object, Connection>();

/** A session's socket is a proxy that refuses some of what {@link connect} does; its streams end by themselves. */
function sessionConnection(stream: ServerHttp2Stream): Connection {
  const session = stream.session!;
  let connection = sessions.get(session);
  if (connection === undefined) {
    connection = new Connection(session.socket as Socket);
    sessions.set(session, connection);
  }
  return connection;
}

function closeReason(socket: Socket, reason: string): void {
  const connection = connectionOf(socket);
  if (connection !== undefined) connection.closeReason = reason;
}
