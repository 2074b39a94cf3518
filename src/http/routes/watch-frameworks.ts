/**
 * Finds the frameworks of this process, so that an app which nobody handed to us tells its routes too.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { sep } from 'node:path';
import { guarded } from '../guard.js';
import { watchExpressApp, watchExpressLayers } from './express.js';
import { watchFastify } from './fastify.js';
import { watchFastifyInstances } from './fastify-instances.js';
import { watchHapiRequest } from './hapi.js';
import { watchKoaContext } from './koa.js';
import { expectConnect, onExpressApp } from './left-route.js';
import { watchRoutes } from './watch-routes.js';

let watching = false;

/** Those that tell by a diagnostics channel. */
export function watchFrameworks(): void {
  if (watching) return;
  watching = true;
  watchFastify();
  watchFastifyInstances();
  onExpressApp((app) => {
    watchExpressApp(app);
    guarded(() => {
      // Express 4, where `router` is a getter that throws.
      if ('lazyrouter' in app) return;
      const { router } = app as { router?: object };
      if (router !== undefined) watchExpressApp(router);
    });
  });
}

/** CommonJS modules by the end of their path, and what is done with their exports. */
const MODULES: readonly (readonly [path: string, watch: (exports: never) => void])[] = [
  ['koa/lib/context.js', watchKoaContext],
  ['express/lib/router/layer.js', (layer: { prototype: object }) => watchExpressLayers(layer.prototype)],
  ['router/lib/layer.js', (layer: { prototype: object }) => watchExpressLayers(layer.prototype)],
  ['@hapi/hapi/lib/request.js', (request: { prototype: object }) => watchHapiRequest(request.prototype)],
  ['connect/index.js', expectConnect],
];

/**
 * When a server gets its first request: the app's modules are loaded. `listeners` are the server's, for
 * 'request'.
 */
export function watchLoadedFrameworks(listeners: readonly unknown[]): void {
  const { cache } = createRequire(import.meta.url);
  const ends = MODULES.map(([path, watch]) => [sep + path.replaceAll('/', sep), watch] as const);
  for (const path of Object.keys(cache)) {
    for (const [end, watch] of ends) {
      if (!path.endsWith(end)) continue;
      const exports: unknown = cache[path]?.exports;
      if (exports !== undefined && exports !== null) guarded(() => watch(exports as never));
    }
  }
  for (const listener of listeners) watchRoutes(listener);
}
