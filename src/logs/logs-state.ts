import type { LogWriter } from './log-writer.js';
import type { JournalLoggerProvider } from './logger-provider.js';

/** The state of logs in this process. There is one, however many copies of this package are loaded. */
interface LogsState {
  writer?: LogWriter | undefined;
  provider?: JournalLoggerProvider | undefined;
  /** Starts tracing, if tracing waits for something to trace. */
  start?: (() => void) | undefined;
  /** The stand-in that is registered with the logs API until there is a provider. */
  standIn?: object;
  /** A pino destination of ours writes pino's lines. */
  hasPinoDestination?: boolean;
}

const STATE: unique symbol = Symbol.for('forktrace.logs') as never;

const holder = globalThis as { [STATE]?: LogsState };
holder[STATE] ??= {};
export const logsState: LogsState = holder[STATE];

/** The writer of this process's log records; undefined while logs are off. */
export function currentLogWriter(): LogWriter | undefined {
  const { start } = logsState;
  if (start !== undefined) {
    logsState.start = undefined;
    start();
  }
  return logsState.writer;
}
