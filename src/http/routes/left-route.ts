/**
 * What a framework leaves on the request itself, for when no router has told a route.
 *
 * @module
 */
import { targetPath } from '../request-target.js';

interface LeftBehind {
  url?: string;
  originalUrl?: string;
  /** Of restify, and of an Express whose layers we have not seen yet. */
  route?: { path?: unknown };
  baseUrl?: string;
  app?: object;
}

let hasConnect = false;
let seen: (app: object) => void = () => {};

/** connect is loaded: from now on a request whose `url` lacks a part of `originalUrl` is at a mount of it. */
export function expectConnect(): void {
  hasConnect = true;
}

/** `found` gets the app of an Express that nobody has told us about, as a bundled one. */
export function onExpressApp(found: (app: object) => void): void {
  seen = found;
}

export function leftRoute(message: object): string | undefined {
  const { route, baseUrl, app } = message as LeftBehind;
  if (typeof app === 'function') seen(app);
  if (typeof route?.path === 'string') return baseUrl ? undefined : route.path;
  return hasConnect && baseUrl === undefined ? connectMount(message as LeftBehind) : undefined;
}

/**
 * connect has no routes but mounts: `app.use('/path', handler)`. While a mounted handler runs, `req.url`
 * lacks the mount. connect does not care about the case of what it mounts, and puts a slash in front of
 * nothing.
 */
function connectMount({ url, originalUrl }: LeftBehind): string | undefined {
  if (url === undefined || originalUrl === undefined || originalUrl === url) return undefined;
  const whole = targetPath(originalUrl);
  const rest = targetPath(url);
  if (rest === '/' && !whole.endsWith('/')) return whole.toLowerCase();
  return whole.endsWith(rest) ? whole.slice(0, whole.length - rest.length).toLowerCase() || undefined : undefined;
}
