import type { Attributes, Context, Link, SpanContext, SpanKind } from '@opentelemetry/api';
import { isPromise, reportFailure } from '../report-failure.js';
import type { Sampler, SamplingResult } from '../sdk/types.js';
import { isSampled } from './trace-flags.js';

// SamplingDecision of the SDK.
export const NOT_RECORD = 0;
const RECORD = 1;
export const RECORD_AND_SAMPLED = 2;

interface Asked {
  traceId: string;
  name: string;
  kind: SpanKind;
  attributes: Attributes;
  links: Link[];
}

/** The sampler's decision; where it throws or returns none, that of the default sampler. */
export function samplingOf(
  sampler: Sampler | undefined,
  parentContext: Context,
  parent: SpanContext | undefined,
  { traceId, name, kind, attributes, links }: Asked,
): SamplingResult {
  if (sampler !== undefined) {
    try {
      const result = sampler.shouldSample(parentContext, traceId, name, kind, attributes, links);
      if (isPromise(result, 'The sampler rejected')) throw new TypeError('expected a decision, got a promise');
      const { decision, traceState } = result;
      if (decision === NOT_RECORD || decision === RECORD || decision === RECORD_AND_SAMPLED) {
        // All of it is read here: a getter may throw, and what is no trace state would throw in whoever
        // passes it on.
        const isTraceState = typeof traceState?.serialize === 'function';
        return {
          decision,
          attributes: Object.assign({}, result.attributes),
          ...(isTraceState && { traceState }),
        };
      }
      throw new TypeError(`expected a decision of 0, 1 or 2, got ${String(decision)}`);
    } catch (error) {
      reportFailure('The sampler failed, and the default decision was taken', error);
    }
  }
  const records = parent === undefined || isSampled(parent.traceFlags);
  return { decision: records ? RECORD_AND_SAMPLED : NOT_RECORD };
}
