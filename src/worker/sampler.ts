import type { NamedSampler } from '../config/resolved.js';
import { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler, TraceIdRatioBasedSampler } from '../sdk/samplers.js';
import type { Sampler } from '../sdk/types.js';

/** The SDK's sampler of an `OTEL_TRACES_SAMPLER` name, or the user's own as it is. */
export function createSampler(sampler: Sampler | NamedSampler): Sampler {
  if (!('name' in sampler)) return sampler;
  switch (sampler.name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(sampler.ratio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampler.ratio) });
  }
}
