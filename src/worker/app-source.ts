import type { RequestListener } from 'node:http';
import type { Server } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { WorkerContext } from '../config/types.js';
import { describeValue, ForktraceError } from '../errors.js';
import { isApp } from './app-server.js';

/**
 * A request listener, an `http`, `https` or `http2` server, an Express or Koa app, a Fastify or NestJS
 * instance, a Hono app, or `{ fetch }`. The kind is recognised at run time, so that these types need none of
 * the frameworks.
 */
export type App = RequestListener | object;

/**
 * Makes the app. Called in each worker after tracing has started; may return a promise.
 * @param worker the worker that the app runs in
 */
export type AppFactory = (worker: WorkerContext) => App | Promise<App>;

/**
 * A factory, the app itself, or the URL or path (relative to the working directory) of a module that
 * default-exports one of them, or that calls listen itself. With a module the coordinator does not load the
 * app, and instrumentations register before the app loads.
 */
export type AppSource = AppFactory | URL | string | object;

/**
 * Loads the factory, from its module if the source names one.
 *
 * @param ownServer the server of a module that exports no app, once the module has told it to listen
 * @throws ForktraceError with code FORKTRACE_APP_NO_FACTORY or FORKTRACE_APP_NOT_FOUND
 */
export async function loadFactory(
  source: AppSource,
  ownServer: () => Promise<Server | undefined>,
): Promise<AppFactory> {
  const url = moduleOf(source);
  if (url === undefined) return factoryOf(source) ?? (() => source as App);
  const module = await import(url).catch((error: NodeJS.ErrnoException & { url?: string }) => {
    if (error.code === 'ERR_MODULE_NOT_FOUND' && error.url === url) {
      throw new ForktraceError('FORKTRACE_APP_NOT_FOUND', [fileURLToPath(url)]);
    }
    throw error;
  });
  // A CommonJS module compiled from ESM has its default export one level down.
  const factory = factoryOf(module.default) ?? factoryOf(module.default?.default);
  if (factory === undefined) {
    const server = await ownServer();
    if (server !== undefined) return () => server;
    const names = Object.keys(module).filter((name) => name !== 'default');
    const found = 'default' in module ? describeValue(module.default) : 'nothing';
    throw new ForktraceError('FORKTRACE_APP_NO_FACTORY', [url, found, names.slice(0, 10)]);
  }
  return factory;
}

/** A request listener takes two arguments, a factory at most one. */
function factoryOf(value: unknown): AppFactory | undefined {
  if (isApp(value)) return () => value as App;
  return typeof value === 'function' ? (value as AppFactory) : undefined;
}

/** The URL of the app's module; undefined when the source is no module. */
export function moduleOf(source: AppSource): string | undefined {
  if (source instanceof URL) return source.href;
  return typeof source === 'string' ? moduleUrl(source) : undefined;
}

function moduleUrl(path: string): string {
  if (/^(file|data|node):/.test(path)) return path;
  return pathToFileURL(isAbsolute(path) ? path : resolve(path)).href;
}
