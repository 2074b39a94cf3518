import type { Server } from 'node:net';

/** An http, https or http2 server, by what it can do: node:http, https and http2 are not loaded for this. */
export function isHttpServer(server: Server): boolean {
  return 'closeIdleConnections' in server || 'updateSettings' in server;
}
