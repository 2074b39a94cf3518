import { INCARNATION_VARIABLE, SLOT_VARIABLE } from '../process/slot-variables.js';

/**
 * The trace context of the program that started the coordinator. A worker's requests do not belong to that
 * trace.
 */
const CONTEXT_VARIABLES = ['TRACEPARENT', 'TRACESTATE', 'BAGGAGE'];

/** Resource attributes that identify one process, and therefore are not inherited. */
const INSTANCE_ATTRIBUTES = /^(service\.instance\.id|process\..*|cluster\..*)$/;

/**
 * The variables in which one worker's environment differs from the coordinator's. An undefined value removes
 * a variable.
 *
 * @param extra what the coordinator and the `preFork` hook add
 */
export function forkEnvironment(
  slot: number,
  incarnation: number,
  env: NodeJS.ProcessEnv,
  extra: NodeJS.ProcessEnv | undefined,
): NodeJS.ProcessEnv {
  const changes: NodeJS.ProcessEnv = {};
  for (const name of Object.keys(env)) {
    if (CONTEXT_VARIABLES.includes(name.toUpperCase())) changes[name] = undefined;
  }
  if (env.OTEL_RESOURCE_ATTRIBUTES !== undefined) {
    changes.OTEL_RESOURCE_ATTRIBUTES = env.OTEL_RESOURCE_ATTRIBUTES.split(',')
      .filter((pair) => !INSTANCE_ATTRIBUTES.test(pair.split('=')[0]!.trim()))
      .join(',');
  }
  return { ...changes, ...extra, [SLOT_VARIABLE]: String(slot), [INCARNATION_VARIABLE]: String(incarnation) };
}
