import { warn } from '../warn.js';

let said = false;

/**
 * Warns once that tracing did not start, for example because no file descriptor or memory is left. The app
 * serves on untraced.
 */
export function sayStartFailed(error: unknown): void {
  if (said) return;
  said = true;
  warn(
    'FORKTRACE_START_FAILED',
    `Tracing did not start, and this process runs without it: ${(error as Error).message}`,
  );
}
