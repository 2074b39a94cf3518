import type { TextMapPropagator } from '@opentelemetry/api';
// Not by the package's index, which loads all of it and the semantic conventions: 4 MB in each worker.
import { W3CBaggagePropagator } from '@opentelemetry/core/build/src/baggage/propagation/W3CBaggagePropagator.js';
import { CompositePropagator } from '@opentelemetry/core/build/src/propagation/composite.js';
import { W3CTraceContextPropagator } from '@opentelemetry/core/build/src/trace/W3CTraceContextPropagator.js';
import type { PropagatorName } from '../config/resolved.js';

/** One propagator of all that are configured; names are those of `OTEL_PROPAGATORS`. */
export async function createPropagator(
  propagators: readonly (TextMapPropagator | PropagatorName)[],
): Promise<TextMapPropagator> {
  const built = await Promise.all(
    propagators.map((propagator) => (typeof propagator === 'string' ? byName(propagator) : propagator)),
  );
  return built.length === 1 ? built[0]! : new CompositePropagator({ propagators: built });
}

async function byName(name: PropagatorName): Promise<TextMapPropagator> {
  switch (name) {
    case 'tracecontext':
      return new W3CTraceContextPropagator();
    case 'baggage':
      return new W3CBaggagePropagator();
    case 'b3':
      return new (await import('@opentelemetry/propagator-b3')).B3Propagator();
    case 'b3multi': {
      const { B3InjectEncoding, B3Propagator } = await import('@opentelemetry/propagator-b3');
      return new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER });
    }
    case 'jaeger':
      return new (await import('@opentelemetry/propagator-jaeger')).JaegerPropagator();
  }
}
