import { diag } from '@opentelemetry/api';

/**
 * Says what went wrong inside of a span's or tracer's method, and goes on: what an operation records must not
 * fail it. The logger is a user's as well, and may throw.
 */
export function reportFailure(what: string, error: unknown): void {
  try {
    diag.error(what, error);
  } catch {
    // There is nobody left to tell.
  }
}

/**
 * Whether what the user's code has returned is a promise, where none is waited for: it is an async function
 * by mistake. Its rejection would end the process; it is reported.
 */
export function isPromise(result: unknown, what: string): boolean {
  const { then } = (result ?? {}) as Partial<PromiseLike<unknown>>;
  if (typeof then !== 'function') return false;
  then.call(result, undefined, (error) => reportFailure(what, error));
  return true;
}
