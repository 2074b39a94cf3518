import { subscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import { guarded } from '../guard.js';

interface FastifyMessage {
  fastify: {
    version?: string;
    addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: { raw: object }, done: () => void) => void): void;
  };
}

interface FastifyRequest {
  routeOptions?: { url?: string };
}

let watching = false;

/** A process that waits in vain for a Fastify loads nothing for it. */
const require = createRequire(import.meta.url);

/**
 * Fastify says that an instance has been made: it gets a hook, the first one, which has the route before the
 * body is read and before the app's own hooks run. Fastify 5 says it once more when it calls the handler, for
 * instances that are older than tracing; 4 does not. To be called before the app is.
 */
export function watchFastifyInstances(): void {
  if (watching) return;
  watching = true;
  subscribe('fastify.initialization', (message) => {
    const { fastify } = message as FastifyMessage;
    guarded(() => {
      if (!(Number.parseInt(fastify.version ?? '', 10) >= 4)) return;
      const { requestOf } = require('../request-of.js') as typeof import('../request-of.js');
      fastify.addHook('onRequest', ({ routeOptions }, { raw }, done) => {
        // None for what a handler injects: its route is not that of the request it serves.
        const request = guarded(() => requestOf(raw));
        const url = routeOptions?.url;
        if (request !== undefined && url !== undefined) request.route = url;
        done();
      });
    });
  });
}
