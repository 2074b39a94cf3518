import { said } from '../guard.js';
import { requestOf } from '../request-of.js';
import { targetPath } from '../request-target.js';

const ROUTE = Symbol('forktrace.route');

interface KoaContext {
  [ROUTE]?: unknown;
  res?: object;
  path?: string;
  originalUrl?: string;
  /** Left by koa-mount, which takes the prefix off `path` for what it has mounted. */
  mountPath?: string;
}

/**
 * `@koa/router` leaves the path of the layer that it runs as `ctx._matchedRoute`; nothing leads from a
 * request to its ctx, so the prototype of all ctx takes note when it is set.
 */
export function watchKoaContext(prototype: object): void {
  if (Object.hasOwn(prototype, '_matchedRoute')) return;
  Object.defineProperty(prototype, '_matchedRoute', {
    configurable: true,
    enumerable: false,
    get(this: KoaContext) {
      return this[ROUTE];
    },
    set(this: KoaContext, path: unknown) {
      this[ROUTE] = path;
      if (!path) return;
      try {
        const request = this.res && requestOf(this.res);
        if (request) request.route = mountOf(this) + (path instanceof RegExp ? path.source : String(path));
      } catch (error) {
        said(error);
      }
    },
  });
}

/** What koa-mount has taken off the path; its prefixes have no parameters. */
function mountOf({ mountPath, originalUrl, path }: KoaContext): string {
  if (mountPath === undefined || originalUrl === undefined || path === undefined) return '';
  const whole = targetPath(originalUrl);
  if (path === '/' && !whole.endsWith('/')) return whole;
  return whole.endsWith(path) ? whole.slice(0, whole.length - path.length) : '';
}
