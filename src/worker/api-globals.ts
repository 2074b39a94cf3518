import {
  type MeterProvider,
  metrics,
  propagation,
  type TextMapPropagator,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { registeredPropagator } from '../propagation/w3c-only.js';
import { registerContextManager, unregisterContextManager } from './context-manager.js';
import { warnOfOtherSdk } from './other-sdk.js';

/** What this worker registers with the OpenTelemetry API. */
export interface ApiGlobals {
  tracerProvider: TracerProvider;
  propagator: TextMapPropagator;
  meterProvider: MeterProvider | undefined;
}

/**
 * Registers with the OpenTelemetry API, context manager first. Another SDK that was registered before us keeps its place,
 * and that is said once: two SDKs in one process are a mistake that otherwise shows as missing or doubled spans.
 *
 * @returns takes back what was registered, and nothing of another SDK's
 */
export function registerApiGlobals({ tracerProvider, propagator, meterProvider }: ApiGlobals): () => void {
  const taken: string[] = [];
  const ours: (() => void)[] = [];
  const register = (what: string, registered: boolean, unregister: () => void) => {
    if (registered) ours.push(unregister);
    else taken.push(what);
  };
  register('context manager', registerContextManager(), unregisterContextManager);
  const isPropagatorOurs = propagation.setGlobalPropagator(propagator);
  registeredPropagator(isPropagatorOurs ? propagator : undefined);
  register('propagator', isPropagatorOurs, () => {
    propagation.disable();
    registeredPropagator(undefined);
  });
  register('tracer provider', trace.setGlobalTracerProvider(tracerProvider), () => trace.disable());
  if (meterProvider) {
    register('meter provider', metrics.setGlobalMeterProvider(meterProvider), () => metrics.disable());
  }
  if (taken.length > 0) warnOfOtherSdk(taken);
  return () => {
    for (const unregister of ours) unregister();
  };
}
