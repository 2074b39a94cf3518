import type { Server } from 'node:net';

/**
 * In the global symbol registry, because the preload and the coordinator may each have loaded this module.
 */
const OWN = Symbol.for('forktrace.own-server');

/** Marks one of forktrace's own servers that runs in a process of the app. The preload does not trace it. */
export function asOwnServer<T extends Server>(server: T): T {
  return Object.assign(server, { [OWN]: true });
}

export function isOwnServer(server: Server): boolean {
  return OWN in server;
}
