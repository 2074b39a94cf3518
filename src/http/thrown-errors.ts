import type { ServerRequest } from './server-request.js';

/** Errors live as long as whoever holds them; a request no longer because of this. */
const requests = new WeakMap<object, WeakRef<ServerRequest>>();

/** Remembers whose handler an error has left. */
export function rememberThrown(error: unknown, request: ServerRequest): void {
  if (typeof error === 'object' && error !== null) requests.set(error, new WeakRef(request));
}

/** The request whose handler an error has left. */
export function requestThatThrew(error: unknown): ServerRequest | undefined {
  return typeof error === 'object' && error !== null ? requests.get(error)?.deref() : undefined;
}
