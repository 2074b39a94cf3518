import { subscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import { guarded } from '../guard.js';

interface FastifyMessage {
  fastify: {
    version?: string;
    addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: unknown, done: () => void) => void): void;
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
      const { activeRequest } = require('../active-request.js') as typeof import('../active-request.js');
      fastify.addHook('onRequest', (request, _reply, done) => {
        const active = activeRequest();
        const url = request.routeOptions?.url;
        if (active !== undefined && url !== undefined) active.route = url;
        done();
      });
    });
  });
}
