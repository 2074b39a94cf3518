/**
 * Keeps what the program writes with `console` as log records: the method gives the level, and the active
 * span is recorded. A record is kept before the text is written. The output itself does not change.
 *
 * @module
 */
import { formatWithOptions, inspect, stripVTControlCharacters } from 'node:util';
import { encodeScopeFields } from '../journal/encoder.js';
import { hasMark, markRecorded } from '../process/recorded-output.js';
import { LOG_IOSTREAM } from '../wire/conventions.js';
import { SEVERITY } from '../wire/level.js';
import { exceptionAttributes } from './exception-attributes.js';
import { entryNow } from './log-entry.js';
import type { LogWriter } from './log-writer.js';

const SCOPE = encodeScopeFields({ name: 'console' });
const STDOUT = { [LOG_IOSTREAM]: 'stdout' };
const STDERR = { [LOG_IOSTREAM]: 'stderr' };

/**
 * The methods that write by themselves. `table`, `trace`, `assert`, `count`, `group` and so on call these.
 */
const METHODS = {
  debug: { severityNumber: SEVERITY.debug, attributes: STDOUT },
  log: { severityNumber: SEVERITY.info, attributes: STDOUT },
  info: { severityNumber: SEVERITY.info, attributes: STDOUT },
  dir: { severityNumber: SEVERITY.info, attributes: STDOUT },
  warn: { severityNumber: SEVERITY.warn, attributes: STDERR },
  error: { severityNumber: SEVERITY.error, attributes: STDERR },
} as const;

type Method = keyof typeof METHODS;
type Said = (...values: unknown[]) => void;

/** The program is in a call of `console`: what it writes now has been kept already. */
let isRecorded = false;
/**
 * A text is being made of what is logged. It may run code of the program, which runs again when the text is
 * printed.
 */
let isFormatting = false;

/**
 * @param isStderrRead the coordinator reads standard error, and keeps what is not written through
 * `process.stderr`
 * @returns a function that undoes it
 */
export function recordConsole(writer: LogWriter, isStderrRead: boolean): () => void {
  const undo = Object.keys(METHODS).map((name) => recordMethod(name as Method, writer));
  if (isStderrRead) undo.push(recordStderr(writer));
  return () => {
    for (const one of undo) one();
  };
}

function recordMethod(name: Method, writer: LogWriter): () => void {
  const { severityNumber, attributes } = METHODS[name];
  const original = console[name] as Said;
  const recorded: Said = (...values) => {
    if (isFormatting) return;
    keep(writer, severityNumber, attributes, () => textOf(name, values), values.find(isError));
    const wasRecorded = isRecorded;
    isRecorded = true;
    try {
      original.apply(console, values);
    } finally {
      isRecorded = wasRecorded;
    }
  };
  Object.defineProperty(recorded, 'name', { value: name });
  console[name] = recorded;
  return () => {
    if (console[name] === recorded) console[name] = original;
  };
}

/** Keeps what is written to standard error without `console`, and marks everything that has been kept. */
function recordStderr(writer: LogWriter): () => void {
  const { stderr } = process;
  const original = stderr.write;
  const recorded = function writeRecorded(chunk: string | Uint8Array, ...rest: unknown[]): boolean {
    const write = (text: typeof chunk) => (original as (...all: unknown[]) => boolean).call(stderr, text, ...rest);
    const isText = typeof chunk === 'string' ? isUtf8(rest[0]) : chunk instanceof Uint8Array;
    // The coordinator keeps bytes that are not UTF-8 text. A marked chunk has been kept by a thread.
    if (!isText || hasMark(chunk)) return write(chunk);
    if (!isRecorded) keep(writer, 0, STDERR, () => Buffer.from(chunk).toString());
    return write(markRecorded(chunk));
  } as typeof original;
  stderr.write = recorded;
  return () => {
    if (stderr.write === recorded) stderr.write = original;
  };
}

function keep(writer: LogWriter, severityNumber: number, attributes: object, text: () => string, error?: Error): void {
  if (isFormatting || !writer.takes(severityNumber)) return;
  let body: string;
  isFormatting = true;
  try {
    body = stripVTControlCharacters(text()).trimEnd();
  } catch {
    // The program's own inspection function threw. It throws again, to the program, when the text is printed.
    return;
  } finally {
    isFormatting = false;
  }
  const exception = exceptionAttributes(error);
  if (body !== '') writer.write(SCOPE, { ...entryNow(), severityNumber, body, attributes, exception });
}

function textOf(name: Method, values: unknown[]): string {
  if (name !== 'dir') return formatWithOptions({ colors: false }, ...values);
  return inspect(values[0], { customInspect: false, ...(values[1] as object), colors: false });
}

const isError = (value: unknown): value is Error => value instanceof Error;

const isUtf8 = (encoding: unknown): boolean => typeof encoding !== 'string' || /^utf-?8$/i.test(encoding);
