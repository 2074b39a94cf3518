import type { Server } from 'node:net';

/** Registered: the preload and the coordinator may have loaded this module once each. */
const OWN = Symbol.for('forktrace.own-server');

/** One of forktrace's own, in a process of the app's: the preload does not take it for the app's. */
export function asOwnServer<T extends Server>(server: T): T {
  return Object.assign(server, { [OWN]: true });
}

export function isOwnServer(server: Server): boolean {
  return OWN in server;
}
