import { setRoute } from '../active-request.js';
import { guarded } from '../guard.js';
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
  context: { matchedRoute?: { path?: string } };
}
interface H3Like {
  stack: unknown[];
  options: { onBeforeResponse?: (event: H3Event, response: unknown) => unknown };
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

/** The router of h3 1 leaves its match on the event's context. */
function watchH3App({ options }: H3Like): void {
  if (watchedH3.has(options)) return;
  watchedH3.add(options);
  const { onBeforeResponse } = options;
  options.onBeforeResponse = (event, response) => {
    const path = event.context?.matchedRoute?.path;
    if (path !== undefined) setRoute(path);
    return onBeforeResponse?.(event, response);
  };
}
