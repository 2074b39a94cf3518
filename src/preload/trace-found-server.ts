import { watchRoutes } from '../http/routes/watch-routes.js';
import { instrumentServer, type TraceableServer } from '../http/trace-server.js';
import { tellPm2 } from '../pm2/ready.js';
import { httpOptions } from '../worker/http-options.js';
import { startOnce } from './start-once.js';

/**
 * Starts tracing, if it has not been, and traces the requests of this server.
 *
 * @public
 */
export function traceFoundServer(server: TraceableServer): void {
  const tracing = startOnce();
  if (tracing === undefined) return;
  server.once('listening', () => tellPm2(tracing.identity));
  if (tracing.config.disabled) return;
  for (const listener of (server as NodeJS.EventEmitter).listeners('request')) watchRoutes(listener);
  instrumentServer(server, () => httpOptions(tracing));
}
