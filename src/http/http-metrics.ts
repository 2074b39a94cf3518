import {
  type Attributes,
  type Context,
  createNoopMeter,
  type Histogram,
  type Meter,
  metrics,
  type UpDownCounter,
} from '@opentelemetry/api';
import type { ResolvedHttp } from '../config/resolved.js';
import { version } from '../own-files.js';
import {
  HTTP_SERVER_ACTIVE_REQUESTS,
  HTTP_SERVER_REQUEST_BODY_SIZE,
  HTTP_SERVER_REQUEST_DURATION,
  HTTP_SERVER_RESPONSE_BODY_SIZE,
} from '../wire/conventions.js';

/** Seconds: semantic conventions, HTTP metrics, `http.server.request.duration`. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Of a request that has ended. */
interface Measured {
  seconds: number;
  requestBytes: number;
  responseBytes: number;
}

/** The server metrics of the HTTP semantic conventions. */
export class HttpMetrics {
  readonly #duration: Histogram;
  readonly #active: UpDownCounter;
  readonly #requestSize: Histogram;
  readonly #responseSize: Histogram;

  constructor(meter: Meter) {
    this.#duration = meter.createHistogram(HTTP_SERVER_REQUEST_DURATION, {
      description: 'Duration of HTTP server requests.',
      unit: 's',
      advice: { explicitBucketBoundaries: DURATION_BUCKETS },
    });
    this.#active = meter.createUpDownCounter(HTTP_SERVER_ACTIVE_REQUESTS, {
      description: 'Number of active HTTP server requests.',
      unit: '{request}',
    });
    this.#requestSize = meter.createHistogram(HTTP_SERVER_REQUEST_BODY_SIZE, {
      description: 'Size of HTTP server request bodies.',
      unit: 'By',
    });
    this.#responseSize = meter.createHistogram(HTTP_SERVER_RESPONSE_BODY_SIZE, {
      description: 'Size of HTTP server response bodies.',
      unit: 'By',
    });
  }

  started(attributes: Attributes, context: Context): void {
    this.#active.add(1, attributes, context);
  }

  /** `startAttributes` are those that {@link started} got: the counter goes down where it went up. */
  ended(startAttributes: Attributes, attributes: Attributes, context: Context, measured: Measured): void {
    this.#active.add(-1, startAttributes, context);
    this.#duration.record(measured.seconds, attributes, context);
    this.#requestSize.record(measured.requestBytes, attributes, context);
    this.#responseSize.record(measured.responseBytes, attributes, context);
  }
}

/**
 * The metrics of a server, or undefined while there is no meter: then nothing is recorded and nothing paid.
 */
export function httpMetrics(tracing: ResolvedHttp): HttpMetrics | undefined {
  const meter = tracing.meter ?? (tracing.meterProvider ?? metrics).getMeter('forktrace', version);
  // The API gives its one no-op meter when no provider is registered.
  return meter === createNoopMeter() ? undefined : new HttpMetrics(meter);
}
