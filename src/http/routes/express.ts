/**
 * Routes of Express 4 and 5, and of all that is built on them or on their router.
 *
 * A router leaves `req.route` and `req.baseUrl` behind, but the latter only while it runs: once an error or a
 * `next()` has left a mounted router, nothing tells where its route was. So we look at the time when a layer
 * of a router is entered, which all layers do through two methods of one prototype.
 *
 * @module
 */
import { guarded, said } from '../guard.js';
import { requestOf } from '../request-of.js';
import type { RouteSource } from '../server-request.js';

type RoutePath = string | RegExp | readonly RoutePath[];

/** What a layer has matched of a path. */
interface Match {
  path?: string;
  params?: Record<string, string>;
  /** Since router 2.3. */
  pattern?: RoutePath;
}

type Handle = (this: Layer, ...args: unknown[]) => unknown;

/**
 * A layer of a router's stack. Its `match` returns what it matched since router 2.3, and leaves it on the
 * layer before.
 */
interface Layer extends Match {
  route?: { path: RoutePath };
  /** A handler within a route has one. */
  method?: string;
  /** Express 4. */
  regexp?: RegExp & { fast_slash?: boolean };
  keys?: { name: string | number }[];
  /** Express 5: mounted at `/`. */
  slash?: boolean;
  match?(path: string): boolean | Match;
}

interface Routed {
  baseUrl?: string;
  url?: string;
  originalUrl?: string;
}

const METHODS = ['handle_request', 'handle_error', 'handleRequest', 'handleError'] as const;
const watched = new WeakSet<object>();

/** Looks at all layers of one copy of Express' router. */
export function watchExpressLayers(prototype: object): void {
  if (watched.has(prototype)) return;
  watched.add(prototype);
  const target = prototype as Partial<Record<(typeof METHODS)[number], Handle>>;
  for (const name of METHODS) {
    const handle = target[name];
    if (typeof handle !== 'function') continue;
    // `error`, if it is an error's, then request, response and next.
    const first = name === 'handle_error' || name === 'handleError' ? 1 : 0;
    target[name] = function handleWatched(...args) {
      try {
        enter(this, args[first] as Routed, args[first + 1] as object);
      } catch (error) {
        said(error);
      }
      return handle.apply(this, args);
    };
  }
}

/** The layers of an app: of Express 4, or of a router. In Express 4 `router` is a getter that throws. */
export function watchExpressApp(app: object): void {
  const stack = guarded(() => {
    const { _router, stack: own } = app as { _router?: { stack?: object[] }; stack?: object[] };
    return _router?.stack ?? own;
  });
  const layer = stack?.[0];
  const prototype = layer && Object.getPrototypeOf(layer);
  if (typeof prototype?.handle_request === 'function' || typeof prototype?.handleRequest === 'function')
    watchExpressLayers(prototype);
}

function enter(layer: Layer, message: Routed, response: object): void {
  const { route } = layer;
  const baseUrl = message.baseUrl || '';
  if (route === undefined && (baseUrl === '' || layer.method !== undefined)) return;
  const request = requestOf(response);
  if (request === undefined) return;
  // Most routes are the app's own.
  // Some apps put the whole path back within a mount (verdaccio): the route has matched all of it.
  if (baseUrl === '' || (route !== undefined && message.url === message.originalUrl)) {
    request.route = pathText(route!.path);
    return;
  }
  let mounts = request.routeSource;
  if (!(mounts instanceof Mounts)) {
    mounts = new Mounts(message);
    request.routeSource = mounts;
  }
  const mount = (mounts as Mounts).enter(layer, baseUrl);
  if (route === undefined || mount === undefined) return;
  const path = pathText(route.path);
  request.route = path === '/' ? mount : mount + path;
}

/** The mounts around the layer that a request is in, outermost first. */
class Mounts implements RouteSource {
  readonly #message: Routed;
  readonly #entered: { baseUrl: string; pattern: string | undefined }[] = [];

  constructor(message: Routed) {
    this.#message = message;
  }

  /**
   * What is mounted and has no routes (a GraphQL handler, static files) is as low in cardinality by its
   * mount.
   */
  route(): string | undefined {
    const { baseUrl } = this.#message;
    return baseUrl ? this.#entered.findLast((each) => each.baseUrl === baseUrl)?.pattern : undefined;
  }

  /** @returns the pattern of the mounts from the app down to the layer; undefined when it cannot be told */
  enter(layer: Layer, baseUrl: string): string | undefined {
    const entered = this.#entered;
    while (entered.length > 0 && !isBelow(baseUrl, entered.at(-1)!.baseUrl)) entered.pop();
    const innermost = entered.at(-1);
    // A route ends its path; only a mount can have brought us here.
    if (layer.route !== undefined) return innermost?.baseUrl === baseUrl ? innermost.pattern : undefined;
    for (let depth = entered.length; depth >= 0; depth--) {
      const parent = depth === 0 ? undefined : entered[depth - 1]!;
      const pattern = mountPattern(layer, baseUrl.slice(parent?.baseUrl.length ?? 0));
      if (pattern === undefined) continue;
      entered.length = depth;
      const whole =
        parent !== undefined && parent.pattern === undefined ? undefined : (parent?.pattern ?? '') + pattern;
      entered.push({ baseUrl, pattern: whole });
      return whole;
    }
    // Middleware of a mounted router, or a layer that we do not understand.
    if (innermost?.baseUrl === baseUrl) return innermost.pattern;
    entered.push({ baseUrl, pattern: undefined });
    return undefined;
  }
}

function isBelow(path: string, mount: string): boolean {
  return path === mount || (path.startsWith(mount) && path[mount.length] === '/');
}

/** The layer's pattern if it has matched exactly `actual`, which is not empty for a mount. */
function mountPattern(layer: Layer, actual: string): string | undefined {
  if (actual === '' || layer.slash === true || layer.regexp?.fast_slash === true) return undefined;
  if (layer.regexp !== undefined) return patternOfRegExp(layer.regexp, layer.keys ?? [], actual);
  const { path, params } = layer;
  const result = layer.match?.(actual);
  const matched: Match = typeof result === 'object' ? result : { path: layer.path, params: layer.params };
  try {
    if (!result || trimSlash(matched.path ?? '') !== actual) return undefined;
    if (typeof matched.pattern === 'string') return trimSlash(matched.pattern);
    return withParams(layer, actual, matched.params ?? {});
  } finally {
    // Before router 2.3 a layer keeps what it matched last.
    if (typeof result === 'boolean') Object.assign(layer, { path, params });
  }
}

/**
 * `/tenants/42` by the regular expression of `/tenants/:tenant`: what its groups have matched are the
 * parameters.
 */
function patternOfRegExp(regexp: RegExp, keys: { name: string | number }[], actual: string): string | undefined {
  const match = new RegExp(regexp.source, `${regexp.flags.replace(/[dgy]/g, '')}d`).exec(actual);
  if (match === null || trimSlash(match[0]) !== actual) return undefined;
  let pattern = '';
  let at = 0;
  for (const [i, key] of keys.entries()) {
    const found = match.indices![i + 1];
    if (found === undefined || found[0] < at) continue;
    pattern += `${actual.slice(at, found[0])}:${key.name}`;
    at = found[1];
  }
  return pattern + actual.slice(at);
}

/**
 * The same for a layer that tells only the parameters' values: a segment is one if the layer takes another in
 * its place.
 */
function withParams(layer: Layer, actual: string, params: Record<string, string>): string {
  const segments = actual.split('/');
  const named = segments.map((segment, i) => {
    const name = Object.keys(params).find((key) => params[key] === decode(segment));
    if (name === undefined || segment === '') return segment;
    const probe = segments.with(i, 'forktrace-probe').join('/');
    return layer.match!(probe) ? `:${name}` : segment;
  });
  return named.join('/');
}

function trimSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * As OpenTelemetry's instrumentation writes it: `/a,/b/:c` for a list, `/^\\/a+$/` for a regular expression.
 */
function pathText(path: RoutePath): string {
  return typeof path === 'string' ? path : String(path);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
