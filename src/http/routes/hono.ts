import { activeRequest } from '../active-request.js';

interface MatchedRoute {
  path: string;
  method: string;
}

/** What a Hono router answers: the handlers with their routes, middleware included, in the order they run. */
type MatchResult = [[[unknown, MatchedRoute], unknown][], ...unknown[]];

export interface HonoRouter {
  name: string;
  add(method: string, path: string, handler: unknown): void;
  match(method: string, path: string): MatchResult;
}

const watched = new WeakSet<HonoRouter>();

/** Puts a router in front of the app's own that takes note of what it matches. */
export function watchHonoRouter(app: { router: HonoRouter }): void {
  const { router } = app;
  if (watched.has(router)) return;
  const watching: HonoRouter = {
    // A Hono router changes its name and its match when it is first asked.
    get name() {
      return router.name;
    },
    add: (method, path, handler) => router.add(method, path, handler),
    match(method, path) {
      const result = router.match(method, path);
      const request = activeRequest();
      // What a handler asks of an app itself, `app.request('/other')`, is none of the request's; an app that
      // a wildcard passes the request on to is.
      if (request && (request.route === undefined || request.route.endsWith('*')))
        request.route = endpoint(result) ?? request.route;
      return result;
    },
  };
  watched.add(watching);
  app.router = watching;
}

/** The last match that is not middleware: `app.use` registers for all methods. */
function endpoint([handlers]: MatchResult): string | undefined {
  for (let i = handlers.length - 1; i >= 0; i--) {
    const [, route] = handlers[i]![0];
    if (route.method !== 'ALL' || !route.path.endsWith('*')) return route.path;
  }
  return undefined;
}
