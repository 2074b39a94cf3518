import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';

interface HandlerMessage {
  reply: { raw: ServerResponse };
  route?: { url?: string };
}

let subscribed = false;

/** Fastify 5 says which route it runs; `found` gets the raw response and the route's URL pattern. */
export function onFastifyRoute(found: (response: ServerResponse, route: string) => void): void {
  if (subscribed) return;
  subscribed = true;
  subscribe('tracing:fastify.request.handler:start', (message) => {
    const { reply, route } = message as HandlerMessage;
    if (route?.url !== undefined) found(reply.raw, route.url);
  });
}
