import type { Sampler } from '../sdk/types.js';

const PARENT_BASED_ALWAYS_ON =
  'ParentBased{root=AlwaysOnSampler, remoteParentSampled=AlwaysOnSampler, remoteParentNotSampled=AlwaysOffSampler, ' +
  'localParentSampled=AlwaysOnSampler, localParentNotSampled=AlwaysOffSampler}';

/**
 * Whether a sampler is the SDK's `ParentBasedSampler({ root: new AlwaysOnSampler() })`, by its class and its description: the
 * default of the specification. The tracer then decides by the parent's sampled flag and makes no call, so no trace id is
 * turned into hex and no attributes are copied for the sampler to see.
 */
export function isParentBasedAlwaysOn(sampler: Sampler): boolean {
  return sampler.constructor.name === 'ParentBasedSampler' && String(sampler) === PARENT_BASED_ALWAYS_ON;
}
