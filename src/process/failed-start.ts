/**
 * A start that fails, told once: the line with the code, then the stack of the code that failed, without
 * forktrace's own frames.
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

/** Of starts that failed with an exit code that is not 1. */
const exitCodes = new WeakMap<Error, number>();

/** What a user sees of an error that ended a start. */
export function describeFailedStart(error: Error & { code?: string }): string {
  const { code, message, cause } = error;
  const line = `forktrace: ${message}${code ? ` [${code}]` : ''}\n`;
  const ofCause = cause instanceof Error ? foreignFrames(cause.stack) : '';
  // The message of the error itself has just been printed.
  const stack = ofCause || foreignFrames(error.stack).split('\n').filter(isFrame).join('\n');
  return stack === '' ? line : `${line}\n${stack}\n`;
}

/** A stack without the frames of forktrace and Node; '' when no other is left and nothing else says where. */
export function foreignFrames(stack: string | undefined): string {
  const lines = (stack ?? '').split('\n');
  const isForeign = (line: string) => !/node:|<anonymous>\)/.test(line) && !OWN_FILES.some((own) => line.includes(own));
  const isPlaced = hasPlace(lines[0]!);
  if (!isPlaced && !lines.some((line) => isFrame(line) && isForeign(line))) return '';
  // The end of a file is an empty line.
  return lines.filter((line) => (isFrame(line) ? isForeign(line) : !isPlaced || line !== '')).join('\n');
}

/** Above the stack of a syntax error Node puts the wrong line, and where that is: `file:///app.js:3`. */
function hasPlace(line: string): boolean {
  return /^(file:\/\/|\/|[A-Za-z]:\\).*:\d+$/.test(line);
}

function isFrame(line: string): boolean {
  return /^\s+at /.test(line);
}

/**
 * What a process exits with that ends because of `error`: the exit code of the worker that did not start,
 * else 1.
 */
export function exitCodeOf(error: Error): number {
  return exitCodes.get(error) ?? 1;
}

/**
 * If nobody catches `error`, which is about to be thrown to the caller of a start, ends the process with
 * `exitCode`, and prints the error once instead of Node's way: source line, all stacks, causes, and Node's
 * version.
 *
 * @param print false: another process prints it
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
    // Another error goes Node's way.
    process.nextTick(() => {
      throw thrown;
    });
  };
  process.on('uncaughtException', uncaught);
  // A rejection that nobody handles, at the top level of a module too, is raised by the end of this turn.
  setImmediate(() => process.off('uncaughtException', uncaught));
}
