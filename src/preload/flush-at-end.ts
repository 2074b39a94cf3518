import { isMainThread } from 'node:worker_threads';
import { pm2ShutdownTimeoutMs } from '../pm2/environment.js';
import { TerminationSignals } from '../process/termination-signals.js';
import type { StartedTracing } from '../worker/start-worker.js';

/** Flushes when the event loop runs empty, and at a signal that the app does not listen to. */
export function flushAtEnd(tracing: StartedTracing): void {
  const { config, identity } = tracing;
  // What ships inline can ship only while the process lives, and a root span ends with the event loop.
  // Anything else may still be traced until the exit.
  process.once(
    'beforeExit',
    () =>
      void (config.ship === 'inline' || config.rootSpan
        ? tracing.shutdown(config.journal.endTimeoutMs)
        : tracing.forceFlush(0)),
  );
  if (!isMainThread) return;
  // pm2 kills a process that is not gone in time.
  const { endTimeoutMs } = config.journal;
  const deadlineMs =
    identity.manager === 'pm2' ? Math.min(endTimeoutMs, pm2ShutdownTimeoutMs(process.env)) : endTimeoutMs;
  const signals = new TerminationSignals(['SIGTERM', 'SIGINT'], {
    async stop(signal) {
      await tracing.shutdown(deadlineMs);
      signals.reraise(signal);
    },
  });
}
