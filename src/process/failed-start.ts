/**
 * Prints why a start failed, once: the line with the error code, then the stack of the code that failed,
 * without forktrace's own frames.
 *
 * @module
 */
import { fileURLToPath } from 'node:url';
import { writeToStderr } from './announce.js';

/** forktrace's own files, and the library that calls its commands. */
const OWN_FILES = [
  new URL('..', import.meta.url).href,
  fileURLToPath(new URL('..', import.meta.url)),
  '/node_modules/commander/',
];

/** The exit codes of failed starts, where they are not 1. */
const exitCodes = new WeakMap<Error, number>();

/** The text that a user sees of an error that ended a start. */
export function describeFailedStart(error: Error & { code?: string }): string {
  const { code, message, cause } = error;
  const line = `forktrace: ${message}${code ? ` [${code}]` : ''}\n`;
  const ofCause = cause instanceof Error ? foreignFrames(cause.stack) : '';
  // The error's own message has just been printed.
  const stack = ofCause || foreignFrames(error.stack).split('\n').filter(isFrame).join('\n');
  return stack === '' ? line : `${line}\n${stack}\n`;
}

/**
 * A stack without the frames of forktrace and Node. '' when no other frame is left and no line above them
 * names a place.
 */
export function foreignFrames(stack: string | undefined): string {
  const lines = (stack ?? '').split('\n');
  const isForeign = (line: string) => !/node:|<anonymous>\)/.test(line) && !OWN_FILES.some((own) => line.includes(own));
  const isPlaced = hasPlace(lines[0]!);
  if (!isPlaced && !lines.some((line) => isFrame(line) && isForeign(line))) return '';
  // The line of code that Node quotes may be empty.
  return lines.filter((line) => (isFrame(line) ? isForeign(line) : !isPlaced || line !== '')).join('\n');
}

/**
 * Above the stack of a syntax error Node prints its place, such as `file:///app.js:3`, and the line of code.
 */
function hasPlace(line: string): boolean {
  return /^(file:\/\/|\/|[A-Za-z]:\\).*:\d+$/.test(line);
}

function isFrame(line: string): boolean {
  return /^\s+at /.test(line);
}

/** The exit code of a process that ends because of `error`: that of the worker that did not start, else 1. */
export function exitCodeOf(error: Error): number {
  return exitCodes.get(error) ?? 1;
}

/**
 * If nobody catches `error`, which is about to be thrown to the caller of a start, ends the process with
 * `exitCode` and prints the error once. Node's own way would print the source line, all stacks, all causes,
 * and Node's version.
 *
 * @param print false when another process prints the error
 */
export function endIfUncaught(error: Error, exitCode: number, print: boolean): void {
  if (exitCode !== 1) exitCodes.set(error, exitCode);
  if (process.listenerCount('uncaughtException') > 0 || process.listenerCount('unhandledRejection') > 0) return;
  const uncaught = (thrown: unknown) => {
    process.off('uncaughtException', uncaught);
    if (thrown === error) {
      if (print) writeToStderr(describeFailedStart(error));
      process.exit(exitCode);
    }
    // Another error: Node handles it.
    process.nextTick(() => {
      throw thrown;
    });
  };
  process.on('uncaughtException', uncaught);
  // Node raises a rejection that nobody handles, also at the top level of a module, by the end of this turn.
  setImmediate(() => process.off('uncaughtException', uncaught));
}
