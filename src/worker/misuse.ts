/**
 * Warns of uses of `startWorkerTracing` that are probably mistakes.
 *
 * @module
 */
import { Server } from 'node:net';
import type { TracingConfig } from '../config/types.js';
import { isHttpServer } from '../http/is-http-server.js';
import { isServerTraced, type TraceableServer } from '../http/trace-server.js';
import { warn } from '../warn.js';
import { serverAddress } from './app-server.js';

/** Options that matter only in a process that forks or serves the app. */
const FOR_CLUSTERS = ['workers', 'listen'] as const;

/** Milliseconds after listening within which a server may still be given to `traceServer`. */
const TRACED_WITHIN_MS = 1000;

/** Warns of `startWorkerTracing({ workers, listen })`: that call neither forks nor serves. */
export function warnOfClusterOptions(config: TracingConfig): void {
  const found = FOR_CLUSTERS.filter((option) => config[option] !== undefined);
  if (found.length === 0) return;
  const names = found.length > 1 ? `Options ${found.join(', ')} have` : `Option ${found[0]} has`;
  warn(
    'FORKTRACE_OPTION_IGNORED',
    `${names} no effect in startWorkerTracing, which neither forks nor serves: call startClusterWithTracing, or leave them out.`,
  );
}

let watching = false;

/**
 * Warns of a server that listens and was not given to `traceServer`. Its requests would have no spans, and
 * nothing else would say why.
 */
export function watchForUntracedServers(): void {
  if (watching) return;
  watching = true;
  const listen = Server.prototype.listen as (this: Server, ...args: unknown[]) => Server;
  Server.prototype.listen = function listenWatched(this: Server, ...args: unknown[]): Server {
    if (isHttpServer(this)) setTimeout(() => warnIfUntraced(this as TraceableServer), TRACED_WITHIN_MS).unref();
    return listen.apply(this, args);
  };
}

function warnIfUntraced(server: TraceableServer): void {
  if (!server.listening || isServerTraced(server)) return;
  warn(
    'FORKTRACE_SERVER_NOT_TRACED',
    `The server on ${serverAddress(server)} was not given to traceServer: its requests have no spans. Call traceServer(server) before it listens.`,
  );
}
