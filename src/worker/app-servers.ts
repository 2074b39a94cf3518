/**
 * Every HTTP server of an app: the one that its factory returns, and those that listen beside it, as
 * Fastify's second one where localhost has two addresses. All are traced and drained.
 *
 * @module
 */
import type { Http2Session } from 'node:http2';
import { Server } from 'node:net';
import { isHttpServer } from '../http/is-http-server.js';
import { drainServer, trackSessions } from './drain.js';

export class AppServers {
  /** Servers that have been told to listen. */
  readonly listening = new Set<Server>();
  readonly #sessions = new Map<Server, ReadonlySet<Http2Session>>();
  readonly #onServer: (server: Server) => void;

  /** @param onServer called once for each server, before it accepts a connection */
  constructor(onServer: (server: Server) => void) {
    this.#onServer = onServer;
    const servers = this;
    const listen = Server.prototype.listen as (this: Server, ...args: unknown[]) => Server;
    // One assignment reaches http, https and http2 servers alike, whoever creates them.
    Server.prototype.listen = function listenSeen(this: Server, ...args: unknown[]): Server {
      if (isHttpServer(this)) {
        servers.add(this);
        servers.listening.add(this);
      }
      return listen.apply(this, args);
    };
  }

  add(server: Server): void {
    if (this.#sessions.has(server)) return;
    this.#sessions.set(server, trackSessions(server));
    this.#onServer(server);
  }

  /** See {@link drainServer}. */
  async drain(drainMs: number): Promise<void> {
    await Promise.all([...this.#sessions].map(([server, sessions]) => drainServer(server, sessions, drainMs)));
  }
}
