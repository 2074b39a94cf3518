/**
 * Makes a server that listens of whatever an app factory returns.
 *
 * @module
 */

import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { type ListenOptions, Server as NetServer } from 'node:net';
import { describeValue, ForktraceError } from '../errors.js';

/**
 * Not an import: that would read all exports of node:http, including `WebSocket`, which loads undici (14 MB
 * on Node 24).
 */
const { createServer, Server: HttpServer } = process.getBuiltinModule('node:http');

/** A server of an app. */
export interface AppServer {
  readonly server: NetServer;
  /**
   * Listens. A framework with a `listen` of its own runs its hooks there; for others this is `server.listen`.
   * An app that has already called listen keeps its address, and this waits until it listens.
   */
  listen(options: ListenOptions): Promise<void>;
  /** Runs the framework's own close hooks, after the server has drained. */
  close(): Promise<void>;
}

interface FastifyLike {
  server: NetServer;
  ready(): PromiseLike<unknown>;
  listen(options: ListenOptions): Promise<unknown>;
  close(): Promise<unknown>;
  inject: unknown;
}
interface NestLike {
  init(): Promise<unknown>;
  getHttpServer(): NetServer;
  getHttpAdapter?(): { getInstance?(): unknown } | undefined;
  close(): Promise<unknown>;
}
interface KoaLike {
  callback(): RequestListener;
  use: unknown;
}
interface FetchLike {
  fetch(request: Request): Response | Promise<Response>;
}

/** Whether a value is an app, not a function that makes one: see {@link toAppServer}. */
export function isApp(value: unknown): boolean {
  if (value instanceof NetServer || isFastify(value)) return true;
  if (has<NestLike>(value, 'getHttpServer', 'init') || has<KoaLike>(value, 'callback', 'use')) return true;
  if (has<FetchLike>(value, 'fetch')) return true;
  // Express's app is a function of three arguments.
  return typeof value === 'function' && value.length >= 2;
}

/**
 * @param listening servers that have been told to listen: if one of them belongs to the app, it is used with
 * its address
 * @throws ForktraceError with code FORKTRACE_APP_UNSUPPORTED
 */
export async function toAppServer(app: unknown, listening: ReadonlySet<NetServer> = new Set()): Promise<AppServer> {
  if (app instanceof NetServer) return plain(app, listening);
  // An Express app is a function, too.
  if (typeof app === 'function' && !has<FetchLike>(app, 'fetch')) {
    const own = [...listening].find((server) => server.listeners('request').includes(app));
    return plain(own ?? createServer(app as RequestListener), listening);
  }
  if (isFastify(app)) {
    const close = async () => void (await app.close());
    if (listening.has(app.server)) return { ...plain(app.server, listening), close };
    return { server: app.server, listen: async (options) => void (await app.listen(options)), close };
  }
  if (has<NestLike>(app, 'getHttpServer', 'init')) {
    const server = app.getHttpServer();
    if (!listening.has(server)) {
      await app.init();
      // NestJS on Fastify serves nothing before Fastify is ready. Fastify's own `listen`, which is not called
      // here, would wait for that.
      const instance = app.getHttpAdapter?.()?.getInstance?.();
      if (isFastify(instance)) await instance.ready();
    }
    return { ...plain(server, listening), close: async () => void (await app.close()) };
  }
  if (has<KoaLike>(app, 'callback', 'use')) {
    // Each `callback()` makes the listener anew, under this name (Koa 2 and 3).
    const isOwn = (server: NetServer) => server.listeners('request').some(({ name }) => name === 'handleRequest');
    return plain([...listening].find(isOwn) ?? createServer(app.callback()), listening);
  }
  if (has<FetchLike>(app, 'fetch')) {
    const { toNodeHandler } = await import('srvx/node');
    return plain(createServer(toNodeHandler((request) => app.fetch(request as Request)) as RequestListener), listening);
  }
  throw new ForktraceError('FORKTRACE_APP_UNSUPPORTED', [describeValue(app)]);
}

function isFastify(app: unknown): app is FastifyLike {
  return has<FastifyLike>(app, 'ready', 'listen', 'inject') && app.server instanceof NetServer;
}

function plain(server: NetServer, listening: ReadonlySet<NetServer> = new Set()): AppServer {
  return {
    server,
    async listen(options) {
      if (server.listening) return;
      if (!listening.has(server)) server.listen(options);
      await once(server, 'listening');
    },
    async close() {},
  };
}

function has<Shape>(value: unknown, ...methods: (keyof Shape & string)[]): value is Shape {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}

/** The bound address, for messages: `http://127.0.0.1:3000` or a socket path. */
export function serverAddress(server: NetServer): string | undefined {
  const address = server.address();
  if (address === null || typeof address === 'string') return address ?? undefined;
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${server instanceof HttpServer ? 'http' : 'https'}://${host}:${address.port}`;
}
