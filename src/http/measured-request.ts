import type { Attributes, Context } from '@opentelemetry/api';
import {
  ERROR_TYPE,
  HTTP_REQUEST_METHOD,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
  NETWORK_PROTOCOL_VERSION,
  URL_SCHEME,
} from '../wire/conventions.js';
import type { HttpMetrics } from './http-metrics.js';
import type { RequestHead } from './request-head.js';

/** What the metrics of one request need; exists only when there is a meter. */
export class MeasuredRequest {
  requestBytes = 0;
  responseBytes = 0;
  readonly #metrics: HttpMetrics;
  readonly #startedAt = performance.now();
  readonly #startAttributes: Attributes;
  readonly #version: string;

  constructor(metrics: HttpMetrics, context: Context, head: RequestHead) {
    this.#metrics = metrics;
    this.#version = head.version;
    this.#startAttributes = { [HTTP_REQUEST_METHOD]: head.knownMethod, [URL_SCHEME]: head.scheme };
    metrics.started(this.#startAttributes, context);
  }

  end(
    context: Context,
    statusCode: number | undefined,
    route: string | undefined,
    errorType: string | undefined,
  ): void {
    const attributes: Attributes = { ...this.#startAttributes, [NETWORK_PROTOCOL_VERSION]: this.#version };
    // Attributes of a metric are its identity: one that is undefined must not be a key.
    if (statusCode !== undefined) attributes[HTTP_RESPONSE_STATUS_CODE] = statusCode;
    if (route !== undefined) attributes[HTTP_ROUTE] = route;
    if (errorType !== undefined) attributes[ERROR_TYPE] = errorType;
    const { requestBytes, responseBytes } = this;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    this.#metrics.ended(this.#startAttributes, attributes, context, { seconds, requestBytes, responseBytes });
  }
}
