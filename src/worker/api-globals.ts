import {
  context,
  type MeterProvider,
  metrics,
  propagation,
  type TextMapPropagator,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { warn } from '../warn.js';

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
  const contextManager = new AsyncLocalStorageContextManager().enable();
  const taken: string[] = [];
  if (!context.setGlobalContextManager(contextManager)) {
    contextManager.disable();
    taken.push('context manager');
  }
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
  context.disable();
  propagation.disable();
  metrics.disable();
}
