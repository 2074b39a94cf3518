import { Server } from 'node:net';
import { isHttpServer } from '../http/is-http-server.js';
import type { TraceableServer } from '../http/trace-server.js';

/** Calls `trace` with each HTTP server that is about to listen for the first time. `listen` itself is as it was. */
export function hookListen(trace: (server: TraceableServer) => void): void {
  const seen = new WeakSet<object>();
  const original = Server.prototype.listen as (this: Server, ...args: unknown[]) => Server;
  // One assignment reaches http, https and http2 servers alike, in ES modules and CommonJS, created before or after.
  Server.prototype.listen = function listen(this: Server, ...args: unknown[]): Server {
    if (!seen.has(this) && isHttpServer(this)) {
      seen.add(this);
      trace(this as TraceableServer);
    }
    return original.apply(this, args);
  };
}
