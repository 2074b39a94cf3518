import { type Context, context, type Link } from '@opentelemetry/api';
import { REQUEST_KEY, type ServerRequest } from './server-request.js';

/** The request that the calling code serves. */
export function activeRequest(active: Context = context.active()): ServerRequest | undefined {
  return active.getValue(REQUEST_KEY) as ServerRequest | undefined;
}

/**
 * Sets the route of the current request, for routers that forktrace does not know. The span is then named
 * `{method} {route}` and has `http.route`. Outside of a traced request it does nothing.
 *
 * @param route the pattern, not the path: `/users/:id`
 *
 * @example
 * setRoute('/files/:name');
 */
export function setRoute(route: string): void {
  activeRequest()?.setRouteByHand(route);
}

/**
 * A link to the request that is being served, for work that outlives it: messages of a WebSocket, say, whose
 * handshake's span has long ended.
 *
 * @example
 * wss.on('connection', (socket) => {
 *   const links = [requestLink()].filter((link) => link !== undefined);
 *   socket.on('message', (message) =>
 *     tracer.startActiveSpan('message', { links }, (span) => {
 *       handle(message);
 *       span.end();
 *     }),
 *   );
 * });
 */
export function requestLink(): Link | undefined {
  const request = activeRequest();
  return request && { context: request.span.spanContext() };
}
