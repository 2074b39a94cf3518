import { Server } from 'node:net';
import { isHttpServer } from '../http/is-http-server.js';
import type { TraceableServer } from '../http/trace-server.js';

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/**
 * When an HTTP server begins to listen, `start` is called, and the server is given to what that resolves with. `listen` itself is
 * as it was; connections that come before wait, so that the first request is traced too. They are let in untraced if `start` fails.
 */
export function hookListen(start: () => Promise<(server: TraceableServer) => void>): void {
  const seen = new WeakSet<object>();
  const original = Server.prototype.listen as (this: Server, ...args: unknown[]) => Server;
  // One assignment reaches http, https and http2 servers alike, in ES modules and CommonJS, created before or after.
  Server.prototype.listen = function listen(this: Server, ...args: unknown[]): Server {
    if (!seen.has(this) && isHttpServer(this)) {
      seen.add(this);
      const admit = holdConnections(this);
      start()
        .then((trace) => admit(() => trace(this as TraceableServer)))
        .catch(() => admit(() => {}));
    }
    return original.apply(this, args);
  };
}

/** @returns lets the connections in, after it has called a function */
function holdConnections(server: Server): (first: () => void) => void {
  const own = Object.getOwnPropertyDescriptor(server, 'emit');
  const emit = server.emit as Emit;
  const held: unknown[][] = [];
  let holding = true;
  const holdingEmit: Emit = (event, ...args) => {
    if (!holding || event !== 'connection') return emit.call(server, event, ...args);
    held.push(args);
    return true;
  };
  server.emit = holdingEmit;
  return (first) => {
    if (!holding) return;
    holding = false;
    // Somebody may have wrapped it meanwhile: then it stays, and passes everything on.
    if (server.emit === holdingEmit) {
      if (own) Object.defineProperty(server, 'emit', own);
      else delete (server as Partial<Server>).emit;
    }
    try {
      first();
    } finally {
      for (const args of held) server.emit('connection', ...(args as [never]));
    }
  };
}
