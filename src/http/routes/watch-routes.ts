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

/**
 * Lets a Koa or Hono app tell its routes to the SERVER spans. `startClusterWithTracing` calls it for the app that it
 * gets; call it for one that only a server of yours knows. Other apps need nothing, and nothing is done.
 *
 * @example
 * const app = new Hono();
 * watchRoutes(app);
 * traceServer(serve({ fetch: app.fetch }));
 */
export function watchRoutes(app: unknown): void {
  if ((typeof app !== 'object' && typeof app !== 'function') || app === null) return;
  const { callback, context } = app as Partial<KoaLike>;
  if (typeof callback === 'function' && typeof context === 'object' && context !== null) watchKoaContext(context);
  const { fetch, router } = app as Partial<HonoLike>;
  if (typeof fetch === 'function' && typeof router?.match === 'function') watchHonoRouter(app as HonoLike);
}
