import { Server } from 'node:net';
import type { TraceableServer } from '../http/trace-server.js';
import { isOwnServer } from '../process/own-server.js';

type Listen = (this: Server, ...args: unknown[]) => Server;
type Emit = (this: Server, event: string | symbol, ...args: unknown[]) => boolean;

/** What a server that serves emits first: a connection, or what something else hands it. */
const SERVING = new Set<string | symbol>([
  'connection',
  'secureConnection',
  'request',
  'checkContinue',
  'checkExpectation',
  'upgrade',
  'connect',
  'stream',
]);

/**
 * Calls `found` once with each HTTP server: when it is about to listen, or gets its first connection or
 * request, whichever is first. A worker of Socket.IO's sticky cluster, say, never listens: it is handed its
 * connections.
 */
export function findServers(found: (server: TraceableServer) => void): void {
  const seen = new WeakSet<object>();
  const see = (server: Server) => {
    if (seen.has(server) || !isHttpServer(server) || isOwnServer(server)) return false;
    seen.add(server);
    found(server as TraceableServer);
    return true;
  };

  // One assignment each reaches http, https and http2 servers alike, in ES modules and CommonJS, created
  // before or after.
  const listen = Server.prototype.listen as Listen;
  Server.prototype.listen = function listenFound(this: Server, ...args: unknown[]): Server {
    see(this);
    return listen.apply(this, args);
  };

  const emit = Server.prototype.emit as Emit;
  Server.prototype.emit = function emitFound(this: Server, event: string | symbol, ...args: unknown[]): boolean {
    if (SERVING.has(event)) {
      const wasWrapped = Object.hasOwn(this, 'emit');
      // Tracing sees what the server's own `emit` gets. One that was there before has had this event.
      if (see(this) && !wasWrapped && Object.hasOwn(this, 'emit')) return this.emit(event as 'close', ...(args as []));
    }
    return emit.call(this, event, ...args);
  };
}

/** By what they can do: node:http, https and http2 are not loaded for this. */
function isHttpServer(server: Server): boolean {
  return 'closeIdleConnections' in server || 'updateSettings' in server;
}
