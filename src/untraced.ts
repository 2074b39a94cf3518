import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

/** The API's registry. The preload puts a getter there, which waits for the first use. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

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
  // Nobody has used the API yet: this would be taken for the first use, and start tracing in a process that
  // only forks.
  if (Object.getOwnPropertyDescriptor(globalThis, REGISTRY)?.get !== undefined) return run();
  return context.with(UNTRACED, run);
}
