import { warn } from '../warn.js';
import { withinDeadline } from './deadline.js';

/**
 * Runs a user's hook. When it throws, rejects or does not finish in time, a warning names it, and the caller
 * goes on.
 *
 * @returns what the hook returned, or undefined
 */
export async function runHook<Args extends unknown[], Result>(
  name: string,
  hook: ((...args: Args) => Result | Promise<Result>) | undefined,
  timeoutMs: number,
  ...args: Args
): Promise<Result | undefined> {
  if (!hook) return undefined;
  let result: Result | undefined;
  const run = async () => {
    try {
      result = await hook(...args);
    } catch (error) {
      warn('FORKTRACE_HOOK_FAILED', `Hook ${name} failed: ${error instanceof Error ? error.stack : String(error)}`);
    }
  };
  if (!(await withinDeadline(run(), timeoutMs))) {
    warn('FORKTRACE_HOOK_TIMEOUT', `Hook ${name} did not finish within ${timeoutMs} ms.`);
  }
  return result;
}
