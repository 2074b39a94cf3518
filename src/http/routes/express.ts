/**
 * The route that Express 4 and 5 (and Nest on Express) leave on the request: `req.route`, below the routers it is
 * mounted in.
 *
 * @module
 */

type RoutePath = string | RegExp | readonly RoutePath[];

interface Route {
  path: RoutePath;
}

/** What a layer has matched of a path. */
interface Match {
  path?: string;
  params?: Record<string, string>;
  /** Since router 2.3. */
  pattern?: RoutePath;
}

/** A layer of a router's stack. Its `match` returns what it matched since router 2.3, and leaves it on the layer before. */
interface Layer extends Match {
  route?: Route;
  handle?: { stack?: Layer[] };
  match?(path: string): boolean | Match;
}

interface App {
  mountpath: string | string[];
  parent?: App;
  /** Express 4. */
  _router?: { stack: Layer[] };
  /** Express 5; in Express 4 a getter that throws. */
  router: { stack: Layer[] };
}

interface Routed {
  route?: Route;
  baseUrl?: string;
  app?: App;
}

/** `/users/:id`, with the patterns of the routers around it; undefined when no route was reached. */
export function expressRoute(request: object): string | undefined {
  const { route } = request as Routed;
  if (route === undefined || typeof route !== 'object' || route === null || route.path === undefined) return undefined;
  const { baseUrl } = request as Routed;
  const path = pathText(route.path);
  // Most routes are the app's own.
  if (!baseUrl) return path;
  const mounted = mountPattern(request as Routed, route, baseUrl);
  return path === '/' ? mounted : mounted + path;
}

/** Mount patterns of a route, by the routers' actual paths: few, as one route is mounted in few places. */
const patterns = new WeakMap<Route, { matches: RegExp; pattern: string }[]>();
const MOST_PATTERNS = 16;

function mountPattern(request: Routed, route: Route, baseUrl: string): string {
  const known = patterns.get(route) ?? [];
  const found = known.find(({ matches }) => matches.test(baseUrl));
  if (found) return found.pattern;
  let pattern = baseUrl;
  try {
    pattern = resolveMount(request, route, baseUrl) ?? baseUrl;
  } catch {
    // The internals of an Express that we do not know: the actual path is right whenever no router is mounted at a parameter.
  }
  if (known.length < MOST_PATTERNS) {
    known.push({ matches: matcher(pattern), pattern });
    patterns.set(route, known);
  }
  return pattern;
}

/** What the mount patterns from the app down to the route are, given the path that they matched. */
function resolveMount(request: Routed, route: Route, baseUrl: string): string | undefined {
  const { app } = request;
  if (app === undefined) return undefined;
  let prefix = '';
  for (let each = app; each.parent !== undefined; each = each.parent) {
    prefix = (Array.isArray(each.mountpath) ? each.mountpath[0] : each.mountpath) + prefix;
  }
  let rest = baseUrl;
  const outer = prefix === '' ? undefined : matcher(prefix, '').exec(rest);
  if (outer) rest = rest.slice(outer[0].length);
  const stack = (app._router ?? app.router).stack;
  for (const chain of chainsTo(route, stack)) {
    const inner = chainPattern(chain, rest);
    if (inner !== undefined) return prefix + inner;
  }
  return undefined;
}

/** The routers' layers on the ways from `stack` to the route. */
function* chainsTo(route: Route, stack: Layer[]): Generator<Layer[]> {
  for (const layer of stack) {
    if (layer.route === route) yield [];
    const nested = layer.handle?.stack;
    if (Array.isArray(nested)) for (const chain of chainsTo(route, nested)) yield [layer, ...chain];
  }
}

function chainPattern(chain: Layer[], actual: string): string | undefined {
  let rest = actual;
  let pattern = '';
  for (const layer of chain) {
    // What is written to the layer, Express has read before anything else can run.
    const result = layer.match?.(rest || '/');
    if (!result) return undefined;
    const { path = '', params = {}, pattern: known } = typeof result === 'object' ? result : layer;
    pattern += trimSlash(typeof known === 'string' ? known : withParams(path, params));
    rest = rest.slice(trimSlash(path).length);
  }
  return rest === '' ? pattern : undefined;
}

/** `/tenants/42` with `{ tenant: '42' }` is `/tenants/:tenant`. */
function withParams(path: string, params: Record<string, string>): string {
  const names = new Map(Object.entries(params).map(([name, value]) => [value, name]));
  return path
    .split('/')
    .map((segment) => {
      const name = names.get(decode(segment));
      return segment === '' || name === undefined ? segment : `:${name}`;
    })
    .join('/');
}

function matcher(pattern: string, end = '$'): RegExp {
  const source = pattern
    .split('/')
    .map((segment) => (/[:*{(]/.test(segment) ? '[^/]+' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('/');
  return new RegExp(`^${source}${end}`, 'i');
}

function trimSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

function pathText(path: RoutePath): string {
  if (typeof path === 'string') return path;
  if (path instanceof RegExp) return path.source;
  return path.map(pathText).join('|');
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
