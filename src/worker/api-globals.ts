import type { MeterProvider, TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import * as own from '@opentelemetry/api';
import { type ApiCopy, apiCopies, isNewer, registeringCopy } from '../instrumentation/api-copies.js';
import { registeredPropagator } from '../propagation/w3c-only.js';
import { warn } from '../warn.js';
import { registerContextManager, unregisterContextManager } from './context-manager.js';
import { warnOfOtherSdk, warnOfRefusedSdk } from './other-sdk.js';

/** The parts that this worker registers with the OpenTelemetry API. */
export interface ApiGlobals {
  tracerProvider: TracerProvider;
  propagator: TextMapPropagator;
  meterProvider: MeterProvider | undefined;
}

/**
 * Registers with the OpenTelemetry API, the context manager first. Another SDK that was registered before
 * keeps its place, and a warning says so once: with two SDKs in one process, spans are missing or recorded
 * twice.
 *
 * @returns a function that removes what was registered here, and nothing of another SDK
 */
export function registerApiGlobals({ tracerProvider, propagator, meterProvider }: ApiGlobals): () => void {
  const copies = apiCopies();
  const copy = registeringCopy(copies);
  const { metrics, propagation, trace } = copy?.api ?? own;
  const standIns = copies.map(({ api }) => api.trace.getTracerProvider() as Partial<own.ProxyTracerProvider>);
  const taken: string[] = [];
  const ours: (() => void)[] = [];
  const register = (what: string, registered: boolean, unregister: () => void) => {
    if (registered) ours.push(unregister);
    else taken.push(what);
  };
  register('context manager', registerContextManager(copy?.api), unregisterContextManager);
  const isPropagatorOurs = propagation.setGlobalPropagator(propagator);
  registeredPropagator(isPropagatorOurs ? propagator : undefined);
  register('propagator', isPropagatorOurs, () => {
    propagation.disable();
    registeredPropagator(undefined);
  });
  const isProviderOurs = trace.setGlobalTracerProvider(tracerProvider);
  register('tracer provider', isProviderOurs, () => trace.disable());
  // Tracers that other copies of the API made before the registration.
  if (isProviderOurs) for (const standIn of standIns) standIn.setDelegate?.(tracerProvider);
  if (meterProvider) {
    register('meter provider', metrics.setGlobalMeterProvider(meterProvider), () => metrics.disable());
  }
  if (taken.length > 0) warnOfOtherSdk(taken);
  else if (copy !== undefined) warnOfNewerCopies(copy, copies);
  if (isProviderOurs) ours.push(watchRefused(copies));
  return () => {
    for (const unregister of ours) unregister();
  };
}

/**
 * Watches for a second SDK that the API refuses. The API reports that only to its own logger, which is off by
 * default.
 *
 * @returns a function that stops watching
 */
function watchRefused(copies: readonly ApiCopy[]): () => void {
  let isSaid = false;
  const watched = copies.map(({ api: { trace } }) => {
    const { setGlobalTracerProvider } = trace;
    trace.setGlobalTracerProvider = (provider) => {
      const isRegistered = setGlobalTracerProvider.call(trace, provider);
      if (!isRegistered && !isSaid) warnOfRefusedSdk();
      isSaid ||= !isRegistered;
      return isRegistered;
    };
    return trace;
  });
  return () => {
    // Deleting the property makes the method of the class visible again.
    for (const trace of watched) delete (trace as Partial<typeof trace>).setGlobalTracerProvider;
  };
}

/**
 * Warns of copies of the API that are newer than the registered one: they do not see what an older copy has
 * registered.
 */
function warnOfNewerCopies(used: ApiCopy, copies: readonly ApiCopy[]): void {
  const newer = copies.find((copy) => isNewer(copy, used));
  if (newer === undefined) return;
  warn(
    'FORKTRACE_API_COPIES',
    `Two versions of @opentelemetry/api are loaded, and code that uses the newer one has no spans: ${used.version} in ${used.dir}, ${newer.version} in ${newer.dir}. Run npm install @opentelemetry/api@${newer.version}`,
  );
}
