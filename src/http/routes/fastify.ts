import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { guarded } from '../guard.js';
import { requestOf } from '../request-of.js';

interface HandlerMessage {
  reply: { raw: ServerResponse };
  route?: { url?: string };
}

/** Fastify 5 says whose handler it calls. */
export function watchFastify(): void {
  subscribe('tracing:fastify.request.handler:start', (message) => {
    const { reply, route } = message as HandlerMessage;
    const request = route?.url === undefined ? undefined : guarded(() => requestOf(reply.raw));
    if (request) request.route = route!.url;
  });
}
