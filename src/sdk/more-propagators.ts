export { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
export { JaegerPropagator } from '@opentelemetry/propagator-jaeger';
