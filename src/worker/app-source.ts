import type { RequestListener } from 'node:http';
import type { Server } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { WorkerContext } from '../config/types.js';
import { describeValue, ForktraceError } from '../errors.js';
import { isApp } from './app-server.js';

/**
 * A request listener, an `http`, `https` or `http2` server, an Express or Koa app, a Fastify or NestJS
 * instance, a Hono app, or `{ fetch }`. What it is is seen at run time: none of the frameworks is needed for
 * these types.
 */
export type App = RequestListener | object;

/** Makes the app; called in each worker once tracing has started. */
export type AppFactory = (worker: WorkerContext) => App | Promise<App>;

/**
 * A factory, the app itself, or the URL or path (relative to the working directory) of a module that
 * default-exports one of them, or that listens itself. The module form keeps the app out of the coordinator,
 * and lets instrumentations register before the app loads.
 */
export type AppSource = AppFactory | URL | string | object;

/**
 * The factory itself: loads the module form.
 *
 * @param ownServer the server of a module that exports no app, once it has told it to listen
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

/** The URL of the app's module; undefined for anything but a module. */
export function moduleOf(source: AppSource): string | undefined {
  if (source instanceof URL) return source.href;
  return typeof source === 'string' ? moduleUrl(source) : undefined;
}

function moduleUrl(path: string): string {
  if (/^(file|data|node):/.test(path)) return path;
  return pathToFileURL(isAbsolute(path) ? path : resolve(path)).href;
}
