import type { Exception, Span } from '@opentelemetry/api';
import { warn } from '../warn.js';

let warned = false;

/**
 * What we read from a request, a response or an app is the user's: a getter of it may throw. Nothing of that
 * reaches the user's code. It is said once, and the request goes on.
 */
export function said(error: unknown): void {
  if (warned) return;
  warned = true;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  warn('FORKTRACE_HTTP_UNTRACED', `A request was served, but could not be traced completely: ${text}`);
}

/** Runs `fn`; what it throws is {@link said}. */
export function guarded<Result>(fn: () => Result): Result | undefined {
  try {
    return fn();
  } catch (error) {
    said(error);
    return undefined;
  }
}

/** Runs a user's hook: what it throws or rejects with is recorded on the span and goes no further. */
export function runSpanHook(span: Span, hook: () => unknown): void {
  try {
    const result = hook() as PromiseLike<unknown> | undefined;
    if (typeof result?.then === 'function') result.then(undefined, (error: unknown) => hookFailed(span, error));
  } catch (error) {
    hookFailed(span, error);
  }
}

/** A hook that fails after its span has ended can leave no trace of it there. */
function hookFailed(span: Span, error: unknown): void {
  if (span.isRecording()) span.recordException(error as Exception);
  else lateHookFailed(error);
}

let lateWarned = false;

function lateHookFailed(error: unknown): void {
  if (lateWarned) return;
  lateWarned = true;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  warn('FORKTRACE_HOOK_FAILED', `An HTTP hook rejected after its span had ended: ${text}`);
}
