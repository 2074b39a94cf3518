import type { HttpTracingConfig } from '../http/types.js';
import type { WorkerTracing } from './start-worker.js';

/** The HTTP options of a worker's servers: its own provider and meter, where the user gave none for HTTP. */
export function httpOptions({ config, tracerProvider, meter }: WorkerTracing): HttpTracingConfig {
  return {
    ...config.http,
    tracerProvider: config.http.tracerProvider ?? tracerProvider,
    meter: config.http.meter ?? (config.http.meterProvider ? undefined : meter),
  };
}
