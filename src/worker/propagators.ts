import { createRequire } from 'node:module';
import type { TextMapPropagator } from '@opentelemetry/api';
import { PROPAGATOR_PACKAGES, requireOptional } from '../config/index.js';
import type { PropagatorName } from '../config/resolved.js';
import { GuardedPropagator } from '../propagation/guarded-propagator.js';
import { StrictTraceContextPropagator } from '../propagation/strict-trace-context.js';
import { madeOfW3cOnly } from '../propagation/w3c-only.js';
import { CompositePropagator, W3CBaggagePropagator } from '../sdk/propagators.js';

const require = createRequire(import.meta.url);

/** Makes one propagator of all configured ones. Names are those of `OTEL_PROPAGATORS`. */
export function createPropagator(propagators: readonly (TextMapPropagator | PropagatorName)[]): TextMapPropagator {
  const built = propagators.map((propagator) =>
    typeof propagator === 'string' ? byName(propagator) : new GuardedPropagator(propagator),
  );
  const propagator = built.length === 1 ? built[0]! : new CompositePropagator({ propagators: built });
  const isW3c = propagators.every((one) => one === 'tracecontext' || one === 'baggage');
  if (isW3c && propagators.includes('tracecontext')) madeOfW3cOnly(propagator);
  return propagator;
}

function byName(name: PropagatorName): TextMapPropagator {
  switch (name) {
    case 'tracecontext':
      return new StrictTraceContextPropagator();
    case 'baggage':
      return new W3CBaggagePropagator();
    case 'b3': {
      const { B3Propagator } = require('../sdk/more-propagators.js') as typeof import('../sdk/more-propagators.js');
      return new B3Propagator();
    }
    case 'b3multi': {
      const { B3InjectEncoding, B3Propagator } =
        require('../sdk/more-propagators.js') as typeof import('../sdk/more-propagators.js');
      return new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER });
    }
    case 'jaeger': {
      const { JaegerPropagator } = require('../sdk/more-propagators.js') as typeof import('../sdk/more-propagators.js');
      return new JaegerPropagator();
    }
    case 'xray':
    case 'xray-lambda':
    case 'ottrace':
      return ofPackage(PROPAGATOR_PACKAGES[name]);
  }
}

/** The package exports one class. */
function ofPackage(name: string): TextMapPropagator {
  const found = Object.entries(requireOptional(name)).find(([exported]) => exported.endsWith('Propagator'));
  return new (found![1] as new () => TextMapPropagator)();
}
