import { INCARNATION_VARIABLE, SLOT_VARIABLE } from '../process/slot-variables.js';

/** Context of whoever started the coordinator: a worker's requests are not part of that trace. */
const CONTEXT_VARIABLES = ['TRACEPARENT', 'TRACESTATE', 'BAGGAGE'];

/** Resource attributes that say which process it is, not what kind. */
const INSTANCE_ATTRIBUTES = /^(service\.instance\.id|process\..*|cluster\..*)$/;

/**
 * What one worker's environment has beyond, or instead of, the coordinator's; an undefined value takes a
 * variable away.
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
