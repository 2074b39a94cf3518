/**
 * Tracing without a change of code: nothing is built until the process listens with an HTTP server or starts a span, so that one
 * that only forks never builds anything, and its workers each build their own.
 *
 * @module
 */
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { context, ProxyTracerProvider, ROOT_CONTEXT, type TracerProvider, trace } from '@opentelemetry/api';
import type { WorkerIdentity } from '../config/types.js';
import { ForktraceError } from '../errors.js';
import { watchFastify4 } from '../http/routes/fastify4.js';
import { pm2ShutdownTimeoutMs } from '../pm2/environment.js';
import { tellPm2 } from '../pm2/ready.js';
import { SLOT_VARIABLE } from '../process/slot-variables.js';
import { warn } from '../warn.js';
import { registerContextManager } from '../worker/context-manager.js';
import type { WorkerTracing } from '../worker/start-worker.js';
import { isLauncher } from './launcher.js';
import { LazyProvider } from './lazy-provider.js';
import { hookListen } from './listen-hook.js';

/** Two copies of the package, and two preloads of one, are one preload. */
const LOADED = Symbol.for('forktrace.register');

/** For the last flush at a signal. */
const STOP_MS = 5000;

/** forktrace's own programs: the shipper, the viewer, the CLI. */
const OWN_PROGRAMS = fileURLToPath(new URL('..', import.meta.url));

export function preload(): void {
  const global = globalThis as { [LOADED]?: true };
  if (global[LOADED]) return;
  global[LOADED] = true;
  const program = process.argv[1];
  if (isLauncher(program) || program?.startsWith(OWN_PROGRAMS)) return;
  // The coordinator's workers start tracing with the config that the app gives, before anything of it runs.
  if (cluster.isWorker && process.env[SLOT_VARIABLE] !== undefined) return;

  // The API's stand-in for a provider that is yet to come: whoever registers one later, we or another SDK, replaces ours.
  const proxy = trace.getTracerProvider();
  if (!(proxy instanceof ProxyTracerProvider)) return;
  watchFastify4();
  const lazy = new LazyProvider(
    () => {
      registerContextManager();
      void start();
    },
    () => takenOver(proxy, lazy),
  );
  proxy.setDelegate(lazy);
  hookListen(async () => {
    const tracing = await start();
    const { instrumentServer } = await import('../http/trace-server.js');
    const { watchRoutes } = await import('../http/routes/watch-routes.js');
    const { httpOptions } = await import('../worker/http-options.js');
    return (server) => {
      if (server.listening) tellPm2(tracing.identity);
      else server.once('listening', () => tellPm2(tracing.identity));
      if (tracing.config.disabled) return;
      for (const listener of (server as NodeJS.EventEmitter).listeners('request')) watchRoutes(listener);
      instrumentServer(server, () => httpOptions(tracing));
    };
  });

  let starting: Promise<WorkerTracing> | undefined;
  function start(): Promise<WorkerTracing> {
    starting ??= startTracing().then(
      (tracing) => {
        lazy.use(tracing.tracerProvider);
        return tracing;
      },
      (error) => {
        if (error instanceof ForktraceError) {
          // A wrong variable stops the start, as everywhere else; here nobody waits for it.
          setImmediate(() => {
            throw error;
          });
        } else {
          // The system has no descriptor or memory left, say: the app serves on untraced.
          warn('FORKTRACE_START_FAILED', `Tracing did not start, and this process runs without: ${error.message}`);
        }
        throw error;
      },
    );
    starting.catch(() => {});
    return starting;
  }
}

/** The provider that has replaced ours at the API's proxy. */
function takenOver(proxy: ProxyTracerProvider, lazy: LazyProvider): TracerProvider | undefined {
  const delegate = proxy.getDelegate();
  return delegate === lazy ? undefined : delegate;
}

async function startTracing(): Promise<WorkerTracing> {
  // Not in the context of the span that set it off: what is started here outlives it.
  const { isTracingStarted, startWorkerTracing } = await context.with(
    ROOT_CONTEXT,
    () => import('../worker/start-worker.js'),
  );
  if (isTracingStarted()) return startWorkerTracing();
  const tracing = await startWorkerTracing();
  const { ship } = tracing.config;
  // What ships inline ships only while it lives; everything else may still be traced until the exit.
  process.once('beforeExit', () => void (ship === 'inline' ? tracing.shutdown() : tracing.forceFlush(0)));
  if (isMainThread) {
    const { TerminationSignals } = await import('../process/termination-signals.js');
    const signals = new TerminationSignals(['SIGTERM', 'SIGINT'], async (signal) => {
      const deadlineMs = stopDeadlineMs(tracing.identity);
      if (signals.appListensTo(signal)) return void tracing.forceFlush(0);
      await tracing.shutdown(deadlineMs);
      signals.reraise(signal);
    });
  }
  return tracing;
}

/** pm2 kills what is not gone in time. */
function stopDeadlineMs({ manager }: WorkerIdentity): number {
  return manager === 'pm2' ? Math.min(STOP_MS, pm2ShutdownTimeoutMs(process.env)) : STOP_MS;
}
