/**
 * All HTTP servers of an app: the one that its factory returns, and those that listen beside it, such as
 * Fastify's second server when localhost has two addresses. All are traced and drained.
 *
 * @module
 */

import type { Http2Session } from 'node:http2';
import { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isHttpServer } from '../http/is-http-server.js';
import { drainServer, trackSessions } from './drain.js';

/** Milliseconds between two checks of a program that calls listen itself. */
const LOOK_EVERY_MS = 20;

/**
 * Number of checks in a row at which the program must have nothing to do: half a second. Node does not show
 * modules that load in the background, and some commands load modules before they listen.
 */
const IDLE_LOOKS = 25;

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
    // One assignment covers http, https and http2 servers, whoever creates them.
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

  /**
   * The first server that has been told to listen. It is waited for as long as the app has something open
   * that keeps its process running, such as a connection to its database.
   *
   * @param before what was open before the app was loaded: {@link startedResources}
   * @returns undefined when nothing is left that could lead to a listening server
   */
  async firstListening(before: ReadonlyMap<string, number>): Promise<Server | undefined> {
    for (let idle = 0; ; ) {
      const [server] = this.listening;
      if (server !== undefined) return server;
      const now = [...startedResources()];
      idle = now.every(([type, count]) => count <= (before.get(type) ?? 0)) ? idle + 1 : 0;
      if (idle === IDLE_LOOKS) return undefined;
      await sleep(LOOK_EVERY_MS, undefined, { ref: false });
    }
  }

  /** See {@link drainServer}. */
  async drain(drainMs: number): Promise<void> {
    await Promise.all([...this.#sessions].map(([server, sessions]) => drainServer(server, sessions, drainMs)));
  }
}

/** The resources that keep this process running: how many of each type, by Node's names of the types. */
export function startedResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}
