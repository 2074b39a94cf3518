import type { Outcome } from '../api-types/outcome.js';
import type { ProcessView } from '../api-types/process.js';
import type { ProcessResource } from '../store/process-resource.js';

export function processView({ service, slot, incarnation, pid, instanceId, host }: ProcessResource): ProcessView {
  return { service, slot, incarnation, pid, instanceId, host };
}

export function outcomeOf({ error, interrupted }: { error: boolean; interrupted: boolean }): Outcome {
  return interrupted ? 'interrupted' : error ? 'error' : 'ok';
}
