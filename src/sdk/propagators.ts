export {
  CompositePropagator,
  isTracingSuppressed,
  parseTraceParent,
  W3CBaggagePropagator,
} from '@opentelemetry/core';
