import type { LogWriter } from './log-writer.js';
import type { JournalLoggerProvider } from './logger-provider.js';

/** What is known of logs in this process: once, however many copies of this package are loaded. */
interface LogsState {
  writer?: LogWriter | undefined;
  provider?: JournalLoggerProvider | undefined;
  /** Starts tracing, where it waits for something to trace. */
  start?: (() => void) | undefined;
  /** What is registered with the logs API until there is a provider. */
  standIn?: unknown;
  /** Lines of pino come by a destination of ours. */
  hasPinoDestination?: boolean;
}

const STATE: unique symbol = Symbol.for('forktrace.logs') as never;

const holder = globalThis as { [STATE]?: LogsState };
holder[STATE] ??= {};
export const logsState: LogsState = holder[STATE];

/** Where log records of this process go; undefined while logs are off. */
export function currentLogWriter(): LogWriter | undefined {
  const { start } = logsState;
  if (start !== undefined) {
    logsState.start = undefined;
    start();
  }
  return logsState.writer;
}
