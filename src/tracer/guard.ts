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
