import { writeSync } from 'node:fs';
import { encodeScopeFields } from '../journal/encoder.js';
import { clock } from '../tracer/clock.js';
import { entryNow, type LogEntry } from './log-entry.js';
import { currentLogWriter, logsState } from './logs-state.js';
import { type PinoKeys, readPinoLine } from './pino-line.js';

/** A destination for pino: its only one, or one of the streams of `pino.multistream`. */
export interface ForktraceDestination {
  /** pino looks for this field to tell a stream from options. */
  readonly writable: true;
  /**
   * Keeps one line. Called by pino.
   *
   * @param line JSON, as pino makes it; anything else is kept as the text of a record
   */
  write(line: string): void;
  /** Does nothing, because nothing is buffered. */
  flushSync(): void;
  /** Closes it: lines written afterwards are dropped. */
  end(): void;
}

/** Options of {@link forktraceDestination}. */
export interface ForktraceDestinationOptions {
  /** Name of the field that holds the message: the same as the logger's `messageKey`. @default 'msg' */
  messageKey?: string;
  /** Name of the field that holds the error: the same as the logger's `errorKey`. @default 'err' */
  errorKey?: string;
  /**
   * What happens to lines while logs are off, as they are in production by default. `'stdout'` writes them to
   * standard output, as pino does without a destination. `'drop'` is for one of several streams. @default
   * 'stdout'
   */
  otherwise?: 'stdout' | 'drop';
}

const SCOPE = encodeScopeFields({ name: 'pino' });
const STDOUT = 1;

/**
 * Makes a pino destination that keeps each line as a log record in the journal, with the active trace and
 * span. It writes in the thread that logs, without a worker thread and without a buffer, so that a line is
 * kept even if the process is killed in the next instant.
 *
 * @example
 * const logger = pino(forktraceDestination());
 * const destination = forktraceDestination({ otherwise: 'drop' });
 * const both = pino({}, pino.multistream([process.stdout, { stream: destination, level: 'trace' }]));
 */
export function forktraceDestination(options: ForktraceDestinationOptions = {}): ForktraceDestination {
  const { messageKey = 'msg', errorKey = 'err', otherwise = 'stdout' } = options;
  const keys: PinoKeys = { messageKey, errorKey };
  const entry: LogEntry = entryNow();
  let isClosed = false;
  logsState.hasPinoDestination = true;
  return {
    writable: true,
    write(line) {
      if (isClosed) return;
      const writer = currentLogWriter();
      if (writer === undefined) {
        if (otherwise === 'stdout') writeOut(line);
        return;
      }
      const now = performance.now();
      clock.check(now);
      clock.convert(now, clock.anchor);
      entry.seconds = entry.observedSeconds = clock.seconds;
      entry.nanos = entry.observedNanos = clock.nanos;
      readPinoLine(line, keys, entry);
      writer.write(SCOPE, entry);
    },
    flushSync() {},
    end() {
      isClosed = true;
    },
  };
}

function writeOut(line: string): void {
  try {
    writeSync(STDOUT, line);
  } catch {
    // A closed or full pipe: pino's own destination would wait or lose the line as well.
  }
}
