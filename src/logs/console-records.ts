/**
 * What the program says with `console`, as log records: with the level that the method says, in the span that
 * is active, kept before it is written. What is written, and where, stays as it is.
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

/** Those that write by themselves; `table`, `trace`, `assert`, `count`, `group` and so on go through them. */
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

/** The program is in a call of `console`: what it writes now is a record already. */
let isRecorded = false;
/** A text is being made of what is logged: code of the program's own does so once more when it is printed. */
let isFormatting = false;

/**
 * @param isStderrRead the coordinator reads standard error, and keeps what does not come by `process.stderr`
 * @returns undoes it
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

/** Keeps what is written there without `console`, and marks all that is kept. */
function recordStderr(writer: LogWriter): () => void {
  const { stderr } = process;
  const original = stderr.write;
  const recorded = function writeRecorded(chunk: string | Uint8Array, ...rest: unknown[]): boolean {
    const write = (text: typeof chunk) => (original as (...all: unknown[]) => boolean).call(stderr, text, ...rest);
    const isText = typeof chunk === 'string' ? isUtf8(rest[0]) : chunk instanceof Uint8Array;
    // The coordinator keeps what this cannot read; a thread has kept what is marked.
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
    // An inspection of the program's own: it throws once more, to the program, when the text is printed.
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
