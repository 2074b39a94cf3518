/**
 * Trace context in environment variables: a carrier whose keys are the propagator's field names in upper
 * case, with other characters as underscores. (OpenTelemetry specification, "Environment Variables as Context
 * Propagation Carriers")
 *
 * @module
 */
import { isMainThread } from 'node:worker_threads';
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';
import { startedByPm2 } from '../pm2/environment.js';
import { isClusterWorker } from '../process/cluster-worker.js';

/**
 * The pid of the process that wrote the context: whoever inherits the variables from further up is not meant.
 */
const WRITER_VARIABLE = 'FORKTRACE_CONTEXT_PID';

/** Taken away whatever the configured propagator is. */
const W3C_FIELDS = ['traceparent', 'tracestate', 'baggage'];

const variable = (field: string) => field.toUpperCase().replace(/[^A-Z0-9_]/g, '_');

const getter: TextMapGetter<NodeJS.ProcessEnv> = {
  get: (env, field) => env[variable(field)],
  keys: (env) => Object.keys(env),
};

const setter: TextMapSetter<NodeJS.ProcessEnv> = {
  set(env, field, value) {
    env[variable(field)] = value;
  },
};

/** A copy of `env` with the active context in it, and nobody else's. */
export function environmentWithContext(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const copy = { ...env };
  removeContext(copy, propagation.fields());
  propagation.inject(context.active(), copy, setter);
  copy[WRITER_VARIABLE] = String(process.pid);
  return copy;
}

/**
 * The context that whoever started this process handed to it, once: the variables are removed, so that
 * neither this process's children nor a second start of tracing see them.
 *
 * A cluster worker and a pm2 process inherit the environment of their manager, whose trace is not theirs:
 * they take only what `tracedFork` has written for them.
 *
 * @returns undefined when there is none
 */
export function takeParentFromEnvironment(
  env: NodeJS.ProcessEnv = process.env,
  propagator: Pick<TextMapPropagator, 'extract' | 'fields'> = propagation,
): Context | undefined {
  const writer = env[WRITER_VARIABLE];
  const meant = writer === String(isMainThread ? process.ppid : process.pid);
  const managed = isClusterWorker() || startedByPm2(env) || !isMainThread;
  let parent: Context | undefined;
  if (meant || (!managed && writer === undefined)) {
    parent = propagator.extract(ROOT_CONTEXT, env, getter);
    if (!trace.getSpanContext(parent) && !propagation.getBaggage(parent)) parent = undefined;
  }
  removeContext(env, propagator.fields());
  return parent;
}

function removeContext(env: NodeJS.ProcessEnv, fields: string[]): void {
  const unwanted = new Set([...W3C_FIELDS, ...fields].map(variable));
  for (const name of Object.keys(env)) {
    if (name === WRITER_VARIABLE || unwanted.has(name.toUpperCase())) delete env[name];
  }
}
