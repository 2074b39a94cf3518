import { warn } from '../warn.js';

let said = false;

/**
 * Warns once that tracing did not start, for example because no file descriptor or memory is left. The app
 * serves on untraced.
 */
export function sayStartFailed(error: unknown): void {
  if (said) return;
  said = true;
  warn('FORKTRACE_START_FAILED', `Tracing did not start, and this process runs without it: ${why(error as Error)}`);
}

/** Node's own message advises to change the code of the package. */
function why({ code, message }: NodeJS.ErrnoException): string {
  if (code !== 'ERR_REQUIRE_ESM') return message;
  return 'Node.js runs with --no-experimental-require-module, and forktrace loads parts of itself with require() of ES modules. Remove that option from the command line or NODE_OPTIONS';
}
