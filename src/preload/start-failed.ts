import { warn } from '../warn.js';

let said = false;

/** Once: the system has no descriptor or memory left, say, and the app serves on untraced. */
export function sayStartFailed(error: unknown): void {
  if (said) return;
  said = true;
  warn('FORKTRACE_START_FAILED', `Tracing did not start, and this process runs without: ${(error as Error).message}`);
}
