/**
 * What an app factory may return, as a server that listens.
 *
 * @module
 */

import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { type ListenOptions, Server as NetServer } from 'node:net';
import { describeValue, ForktraceError } from '../errors.js';

/** An import would read all that node:http exports, `WebSocket` too, which loads undici: 14 MB on Node 24. */
const { createServer, Server: HttpServer } = process.getBuiltinModule('node:http');

/** A server of an app: not listening yet. */
export interface AppServer {
  readonly server: NetServer;
  /** Frameworks with a listen of their own run its hooks; the others' is `server.listen`. */
  listen(options: ListenOptions): Promise<void>;
  /** The framework's own close hooks, after the server has drained. */
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
  close(): Promise<unknown>;
}
interface KoaLike {
  callback(): RequestListener;
  use: unknown;
}
interface FetchLike {
  fetch(request: Request): Response | Promise<Response>;
}

/** @throws ForktraceError with code FORKTRACE_APP_UNSUPPORTED */
export async function toAppServer(app: unknown): Promise<AppServer> {
  if (app instanceof NetServer) return plain(app);
  // An Express app is a function as well.
  if (typeof app === 'function' && !has<FetchLike>(app, 'fetch')) return plain(createServer(app as RequestListener));
  if (has<FastifyLike>(app, 'ready', 'listen', 'inject') && app.server instanceof NetServer) {
    return {
      server: app.server,
      listen: async (options) => void (await app.listen(options)),
      close: async () => void (await app.close()),
    };
  }
  if (has<NestLike>(app, 'getHttpServer', 'init')) {
    await app.init();
    return { ...plain(app.getHttpServer()), close: async () => void (await app.close()) };
  }
  if (has<KoaLike>(app, 'callback', 'use')) return plain(createServer(app.callback()));
  if (has<FetchLike>(app, 'fetch')) {
    const { toNodeHandler } = await import('srvx/node');
    return plain(createServer(toNodeHandler((request) => app.fetch(request as Request)) as RequestListener));
  }
  throw new ForktraceError('FORKTRACE_APP_UNSUPPORTED', [describeValue(app)]);
}

function plain(server: NetServer): AppServer {
  return {
    server,
    async listen(options) {
      // A factory may have called listen itself.
      if (server.listening) return;
      server.listen(options);
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
