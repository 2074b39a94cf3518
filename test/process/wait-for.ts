import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves with the first truthy value of `condition`; rejects with `what` after `timeoutMs`.
 * The machine that runs the tests may be loaded: the bound is for a failure, not for a measurement.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  what: string | (() => string),
  timeoutMs = 30_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) {
      throw new Error(`not within ${timeoutMs} ms: ${typeof what === 'function' ? what() : what}`);
    }
    await sleep(5);
  }
}
