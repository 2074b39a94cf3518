import type { RequestListener } from 'node:http';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WorkerContext } from '../config/types.js';
import { describeValue, ForktraceError } from '../errors.js';

/**
 * A request listener, an `http`, `https` or `http2` server, an Express or Koa app, a Fastify or NestJS instance, a Hono app, or
 * `{ fetch }`. What it is is seen at run time: none of the frameworks is needed for these types.
 */
export type App = RequestListener | object;

/** Makes the app; called in each worker once tracing has started. */
export type AppFactory = (worker: WorkerContext) => App | Promise<App>;

/**
 * A factory, or the URL or path (relative to the working directory) of a module that default-exports one. The module form
 * keeps the app out of the coordinator, and lets instrumentations register before the app loads.
 */
export type AppSource = AppFactory | URL | string;

/** The factory itself: loads the module form. */
export async function loadFactory(source: AppSource): Promise<AppFactory> {
  if (typeof source === 'function') return source;
  const url = source instanceof URL ? source.href : moduleUrl(source);
  const module = await import(url);
  // A CommonJS module compiled from ESM has its default export one level down.
  const factory = typeof module.default === 'function' ? module.default : module.default?.default;
  if (typeof factory !== 'function') {
    throw new ForktraceError('FORKTRACE_APP_NO_FACTORY', [url, describeValue(module.default)]);
  }
  return factory;
}

function moduleUrl(path: string): string {
  if (/^(file|data|node):/.test(path)) return path;
  return pathToFileURL(isAbsolute(path) ? path : resolve(path)).href;
}
