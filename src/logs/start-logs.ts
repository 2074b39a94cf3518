import type { TracerProvider } from '@opentelemetry/api';
import type { ResolvedLogs } from '../config/resolved.js';
import { delivered } from '../journal/delivery.js';
import type { Journal } from '../journal/journal.js';
import { hear } from '../process/process-events.js';
import { JournalTracerProvider } from '../tracer/provider.js';
import { warn } from '../warn.js';
import { recordConsole } from './console-records.js';
import { ExceptionRecords } from './exception-records.js';
import { type LogCounts, LogWriter } from './log-writer.js';
import { JournalLoggerProvider } from './logger-provider.js';
import { registerLoggerProvider } from './logs-api.js';
import { logsState } from './logs-state.js';

/** The running logs of this process. */
export interface WorkerLogs {
  counts(): LogCounts;
  stop(): void;
}

/** Which exceptions are kept as log records, and whether they also stay events of their spans. */
interface ExceptionsOf {
  signal: 'logs' | 'logs/dup';
  of: TracerProvider;
}

/**
 * Registers a LoggerProvider that writes to `journal`, turns on `forktrace/pino`, and records what `console`
 * writes if the options ask for it.
 *
 * @param isStderrRead the coordinator reads this process's standard error
 */
export function startLogs(
  options: ResolvedLogs,
  journal: Journal,
  isStderrRead: boolean,
  exceptions?: ExceptionsOf,
): WorkerLogs {
  const writer = new LogWriter(options, journal);
  const unregister = registerLoggerProvider(
    new JournalLoggerProvider(writer, (timeoutMs) => delivered(journal, timeoutMs, 'logs')),
  );
  if (unregister === undefined) {
    const message = 'Another OpenTelemetry SDK is registered in this process; its logger provider stays in use.';
    warn('FORKTRACE_REGISTERED_TWICE', `${message} Remove one of the two.`);
  }
  logsState.writer = writer;
  const provider = exceptions?.of instanceof JournalTracerProvider ? exceptions.of : undefined;
  provider?.keepExceptions(new ExceptionRecords(writer, exceptions?.signal === 'logs/dup'));
  const stopConsole = options.captureOutput ? recordConsole(writer, isStderrRead) : undefined;
  const end = () => writer.end();
  const stopHearing = hear('exit', end);
  return {
    counts: () => writer.counts(),
    stop() {
      stopHearing();
      stopConsole?.();
      unregister?.();
      provider?.keepExceptions(undefined);
      logsState.writer = undefined;
      writer.end();
    },
  };
}
