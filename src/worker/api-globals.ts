import {
  type MeterProvider,
  metrics,
  propagation,
  type TextMapPropagator,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { warn } from '../warn.js';
import { registerContextManager, unregisterContextManager } from './context-manager.js';

/** What this worker registers with the OpenTelemetry API. */
export interface ApiGlobals {
  tracerProvider: TracerProvider;
  propagator: TextMapPropagator;
  meterProvider: MeterProvider | undefined;
}

/**
 * Registers with the OpenTelemetry API, context manager first. Another SDK that was registered before us keeps its place,
 * and that is said once: two SDKs in one process are a mistake that otherwise shows as missing or doubled spans.
 */
export function registerApiGlobals({ tracerProvider, propagator, meterProvider }: ApiGlobals): void {
  const taken: string[] = [];
  if (!registerContextManager()) taken.push('context manager');
  if (!propagation.setGlobalPropagator(propagator)) taken.push('propagator');
  if (!trace.setGlobalTracerProvider(tracerProvider)) taken.push('tracer provider');
  if (meterProvider && !metrics.setGlobalMeterProvider(meterProvider)) taken.push('meter provider');
  if (taken.length > 0) {
    warn(
      'FORKTRACE_REGISTERED_TWICE',
      `Another OpenTelemetry SDK is registered in this process; its ${taken.join(', ')} stay in use. Remove one of the two.`,
    );
  }
}

/** Takes back what {@link registerApiGlobals} registered. */
export function unregisterApiGlobals(): void {
  trace.disable();
  unregisterContextManager();
  propagation.disable();
  metrics.disable();
}
