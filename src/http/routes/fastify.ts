import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { guarded } from '../guard.js';
import { requestOf } from '../request-of.js';

interface HandlerMessage {
  reply: { raw: ServerResponse };
  route?: { url?: string };
}

interface FastifyMessage {
  fastify: {
    version?: string;
    addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void): void;
  };
}

interface FastifyRequest {
  routeOptions?: { url?: string };
}

interface FastifyReply {
  raw: ServerResponse;
}

/** Fastify 5 says which route it runs; 4 says only that an instance has been made, which gets a hook. */
export function watchFastify(): void {
  subscribe('tracing:fastify.request.handler:start', (message) => {
    const { reply, route } = message as HandlerMessage;
    tell(reply.raw, route?.url);
  });
  subscribe('fastify.initialization', (message) => {
    const { fastify } = message as FastifyMessage;
    guarded(() => {
      if (Number.parseInt(fastify.version ?? '', 10) !== 4) return;
      fastify.addHook('onRequest', (request, reply, done) => {
        tell(reply.raw, request.routeOptions?.url);
        done();
      });
    });
  });
}

function tell(response: ServerResponse, route: string | undefined): void {
  const request = route === undefined ? undefined : guarded(() => requestOf(response));
  if (request) request.route = route;
}
