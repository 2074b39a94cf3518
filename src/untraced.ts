import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

/**
 * As `suppressTracing` of `@opentelemetry/core` makes it: no instrumentation makes a span of what is done in
 * it.
 */
export const UNTRACED = ROOT_CONTEXT.setValue(createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'), true);

/**
 * Runs what tracing itself needs of files and sockets in the app's process: the app's instrumentations would
 * make spans of it, which belong to no request, and a span of each write of spans would never end.
 */
export function untraced<T>(run: () => T): T {
  return context.with(UNTRACED, run);
}
