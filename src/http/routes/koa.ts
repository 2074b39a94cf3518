import { createRequire } from 'node:module';
import { sep } from 'node:path';
import { activeRequest } from '../active-request.js';

const ROUTE = Symbol('forktrace.route');

/**
 * `@koa/router` leaves the path of the layer that it runs as `ctx._matchedRoute`; nothing leads from a request to its
 * ctx, so the prototype of all ctx takes note when it is set.
 */
export function watchKoaContext(prototype: object): void {
  if (Object.hasOwn(prototype, '_matchedRoute')) return;
  Object.defineProperty(prototype, '_matchedRoute', {
    configurable: true,
    enumerable: false,
    get(this: { [ROUTE]?: unknown }) {
      return this[ROUTE];
    },
    set(this: { [ROUTE]?: unknown }, path: unknown) {
      this[ROUTE] = path;
      const request = activeRequest();
      if (request && path) request.route = path instanceof RegExp ? path.source : String(path);
    },
  });
}

const CONTEXT_MODULE = ['', 'koa', 'lib', 'context.js'].join(sep);

/** Every Koa that this process has loaded (it is CommonJS), so that an app which nobody handed to us is seen as well. */
export function watchLoadedKoa(): void {
  const { cache } = createRequire(import.meta.url);
  for (const path of Object.keys(cache)) {
    if (!path.endsWith(CONTEXT_MODULE)) continue;
    const prototype: unknown = cache[path]?.exports;
    if (typeof prototype === 'object' && prototype !== null) watchKoaContext(prototype);
  }
}
