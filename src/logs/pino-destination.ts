import { writeSync } from 'node:fs';
import { encodeScopeFields } from '../journal/encoder.js';
import { clock } from '../tracer/clock.js';
import { entryNow, type LogEntry } from './log-entry.js';
import { currentLogWriter, logsState } from './logs-state.js';
import { type PinoKeys, readPinoLine } from './pino-line.js';

/** A destination for pino, alone or as one of several streams of `pino.multistream`. */
export interface ForktraceDestination {
  /** What pino tells a stream from options by. */
  readonly writable: true;
  write(line: string): void;
  /** Nothing is buffered: for those that call it. */
  flushSync(): void;
  /** What is written afterwards goes nowhere. */
  end(): void;
}

export interface ForktraceDestinationOptions {
  /** As the logger's option of that name. @default 'msg' */
  messageKey?: string;
  /** As the logger's option of that name. @default 'err' */
  errorKey?: string;
  /**
   * What becomes of lines while logs are off (in production, unless asked for): `'stdout'` writes them to
   * standard output, as pino does without a destination; `'drop'` is for one of several streams. @default
   * 'stdout'
   */
  otherwise?: 'stdout' | 'drop';
}

const SCOPE = encodeScopeFields({ name: 'pino' });
const STDOUT = 1;

/**
 * Each line becomes a log record in the journal, with the trace and span that are active: in this thread,
 * with no worker thread and no buffer, so that it is there when the process is killed in the next instant.
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
    // A closed pipe, or one that is full: pino's own destination would wait or lose it as well.
  }
}
