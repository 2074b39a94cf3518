import { type Span, SpanStatusCode } from '@opentelemetry/api';

/** What all calls of one traced function share. */
export interface TracedFunction {
  // biome-ignore lint/suspicious/noExplicitAny: stands for every function
  readonly fn: (this: any, ...args: any[]) => any;
  start(self: unknown, args: unknown[]): Span;
}

/** Records what was thrown, and ends the span. */
export function fail(failed: Span, error: unknown): void {
  const exception = error instanceof Error ? error : String(error);
  failed.recordException(exception);
  failed.setStatus({
    code: SpanStatusCode.ERROR,
    message: typeof exception === 'string' ? exception : exception.message,
  });
  failed.end();
}
