import type { ServerResponse } from 'node:http';
import { guarded } from '../guard.js';
import { requestOf } from '../request-of.js';
import { watchExpressApp } from './express.js';
import { type HonoRouter, watchHonoRouter } from './hono.js';
import { watchKoaContext } from './koa.js';

interface KoaLike {
  callback(): unknown;
  context: object;
}
interface HonoLike {
  fetch(request: Request): unknown;
  router: HonoRouter;
}
interface H3Event {
  context: object;
  node: { res: ServerResponse };
}
interface H3Like {
  stack: unknown[];
  options: { onRequest?: (event: H3Event) => unknown };
}

/**
 * Lets a Hono or h3 1 app tell its routes to the SERVER spans. `startClusterWithTracing` calls it for the app
 * that it gets; call it for one that only a server of yours knows. Other apps need nothing, and nothing is
 * done. It never throws.
 *
 * @example
 * const app = new Hono();
 * watchRoutes(app);
 * traceServer(serve({ fetch: app.fetch }));
 */
export function watchRoutes(app: unknown): void {
  if ((typeof app !== 'object' && typeof app !== 'function') || app === null) return;
  guarded(() => {
    // Express 4 throws when its `router` is read: only what each framework is known by is looked at.
    const { callback, context, fetch, stack, options } = app as Partial<KoaLike & HonoLike & H3Like>;
    if (typeof callback === 'function' && typeof context === 'object' && context !== null) watchKoaContext(context);
    else if (typeof fetch === 'function') {
      if (typeof (app as HonoLike).router?.match === 'function') watchHonoRouter(app as HonoLike);
    } else if (Array.isArray(stack) && typeof options === 'object' && options !== null) watchH3App(app as H3Like);
    else if (typeof app === 'function') watchExpressApp(app);
  });
}

const watchedH3 = new WeakSet<object>();

/**
 * The router of h3 1 leaves its match on the event's context before it calls the handler: the context takes
 * note when it is set.
 */
function watchH3App({ options }: H3Like): void {
  if (watchedH3.has(options)) return;
  watchedH3.add(options);
  const { onRequest } = options;
  options.onRequest = (event) => {
    guarded(() => noteMatches(event));
    return onRequest?.(event);
  };
}

/** An event of Nitro's own `$fetch` within a request is none of the request's. */
function noteMatches({ context, node }: H3Event): void {
  const request = requestOf(node.res);
  if (request === undefined) return;
  let matched: { path?: string } | undefined;
  Object.defineProperty(context, 'matchedRoute', {
    configurable: true,
    enumerable: true,
    get: () => matched,
    set(route: typeof matched) {
      matched = route;
      if (typeof route?.path === 'string') request.route = route.path;
    },
  });
}
