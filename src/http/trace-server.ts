import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Http2SecureServer, Http2Server } from 'node:http2';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { context } from '@opentelemetry/api';
import { connectionOf, existingConnection } from './connection.js';
import { ServerPlan } from './server-plan.js';
import { requestOf, ServerRequest } from './server-request.js';
import type { HttpTracing, HttpTracingConfig } from './types.js';

/** A server whose requests can be traced. */
export type TraceableServer = Server | SecureServer | Http2Server | Http2SecureServer;

const traced = new WeakSet<TraceableServer>();

/**
 * A SERVER span for each request of `server`, by the stable HTTP semantic conventions. Call it at any time; requests that
 * have begun are left alone. A second call for the same server does nothing.
 *
 * @example
 * const server = http.createServer(handler);
 * traceServer(server, { trustProxy: true });
 * server.listen(3000);
 */
export function traceServer(server: TraceableServer, options: HttpTracingConfig = {}): void {
  instrumentServer(server, options);
}

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** {@link traceServer}, with what a worker's tracing adds. */
export function instrumentServer(server: TraceableServer, tracing: HttpTracing): void {
  if (traced.has(server)) return;
  traced.add(server);
  const plan = new ServerPlan(tracing, process.env);
  const emit: Emit = Object.hasOwn(server, 'emit') ? server.emit : EventEmitter.prototype.emit;

  // The instance's emit sees each request before any listener does, whoever adds or replaces listeners later.
  server.emit = function emitTraced(this: TraceableServer, event: string | symbol, ...args: unknown[]): boolean {
    switch (event) {
      case 'request':
      case 'checkContinue':
      case 'checkExpectation':
        return onRequest(plan, emit, this, event, args[0] as IncomingMessage, args[1] as ServerResponse);
      case 'timeout':
        closeReason(args[0] as Socket, 'timeout');
        break;
      case 'clientError':
        closeReason(args[1] as Socket, (args[0] as NodeJS.ErrnoException).code ?? 'client_error');
        break;
    }
    return emit.call(this, event, ...args);
  };
}

function onRequest(
  plan: ServerPlan,
  emit: Emit,
  server: TraceableServer,
  event: string,
  message: IncomingMessage,
  response: ServerResponse,
): boolean {
  // A 'checkContinue' listener emits 'request' for the same response.
  if (requestOf(response) !== undefined) return emit.call(server, event, message, response);
  plan.incoming.scan(message.rawHeaders);
  const parent = plan.incoming.extract(message);
  const connection = connectionOf(message.socket);
  const span = plan.startSpan(message, connection, parent);
  const request = new ServerRequest(plan, connection, message, response, parent, span);
  try {
    return context.with(request, emit, server, event, message, response);
  } catch (error) {
    request.threw(error);
    throw error;
  }
}

function closeReason(socket: Socket, reason: string): void {
  const connection = existingConnection(socket);
  if (connection !== undefined) connection.closeReason = reason;
}
