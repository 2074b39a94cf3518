import type { ResolvedHttp } from '../config/resolved.js';
import type { StartedTracing } from './start-worker.js';

/**
 * The HTTP options of a worker's servers, with the worker's own tracer provider and meter if the user gave
 * none for HTTP.
 */
export function httpOptions({ config, tracerProvider, meter }: StartedTracing): ResolvedHttp {
  return Object.freeze({
    ...config.http,
    tracerProvider: config.http.tracerProvider ?? tracerProvider,
    meter: config.http.meter ?? (config.http.meterProvider ? undefined : meter),
  });
}
