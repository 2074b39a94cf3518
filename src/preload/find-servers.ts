import { Server } from 'node:net';
import type { TraceableServer } from '../http/trace-server.js';
import { isOwnServer } from '../process/own-server.js';

type Listen = (this: Server, ...args: unknown[]) => Server;
type Emit = (this: Server, event: string | symbol, ...args: unknown[]) => boolean;

/** Events that a serving server emits first: a connection, or a request that other code hands it. */
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
 * Calls `found` once for each HTTP server: when it is about to listen, or at its first connection or request,
 * whichever comes first. A worker of Socket.IO's sticky cluster, for example, never listens: other code hands
 * it its connections.
 */
export function findServers(found: (server: TraceableServer) => void): void {
  const seen = new WeakSet<object>();
  const see = (server: Server) => {
    if (seen.has(server) || !isHttpServer(server) || isOwnServer(server)) return false;
    seen.add(server);
    found(server as TraceableServer);
    return true;
  };

  // One assignment each covers http, https and http2 servers, from ES modules and CommonJS, created before or
  // after.
  const listen = Server.prototype.listen as Listen;
  Server.prototype.listen = function listenFound(this: Server, ...args: unknown[]): Server {
    see(this);
    return listen.apply(this, args);
  };

  const emit = Server.prototype.emit as Emit;
  Server.prototype.emit = function emitFound(this: Server, event: string | symbol, ...args: unknown[]): boolean {
    if (SERVING.has(event)) {
      const wasWrapped = Object.hasOwn(this, 'emit');
      // Tracing replaces the server's own `emit`, which must see this event. An `emit` that was wrapped
      // before has seen it already.
      if (see(this) && !wasWrapped && Object.hasOwn(this, 'emit')) return this.emit(event as 'close', ...(args as []));
    }
    return emit.call(this, event, ...args);
  };
}

/** Recognised by their methods, so that node:http, https and http2 need not be loaded. */
function isHttpServer(server: Server): boolean {
  return 'closeIdleConnections' in server || 'updateSettings' in server;
}
