/**
 * The environment of the shipper and the viewer: without what would preload the user's code, or tracing, into them, and
 * without what only a worker is meant to read.
 */
export function companionEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS, NODE_V8_COVERAGE, TRACEPARENT, TRACESTATE, ...rest } = env;
  return rest;
}
