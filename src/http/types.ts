import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Attributes, Meter, MeterProvider, Span, TextMapPropagator, TracerProvider } from '@opentelemetry/api';

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** Options of HTTP server spans. */
export interface HttpTracingConfig {
  /** `OTEL_NODE_<KEY>_EXCLUDED_URLS`, else `OTEL_NODE_EXCLUDED_URLS`. @default 'HTTP' */
  excludeUrlsEnvKey?: string;
  /** Regexes searched in `scheme://host/path`. An excluded request has no span and no metric. */
  excludeUrls?: (string | RegExp)[];
  /** Name and attributes at the span's start; a name that is given stays, whatever the route. */
  spanDetails?: (request: HttpRequest) => { name?: string; attributes?: Attributes };
  /** Called when the span has started, before the app sees the request. */
  serverRequestHook?: (span: Span, request: HttpRequest) => void;
  /** Once per body chunk received, with the *receive* span; `message` is `{ type: 'http.request', body }`. */
  clientRequestHook?: (span: Span, request: HttpRequest, message: unknown) => void;
  /** For response start (`{ type: 'http.response.start', status }`) and each chunk sent (`{ type: 'http.response.body', body }`), with the *send* span. */
  clientResponseHook?: (span: Span, response: HttpResponse, message: unknown) => void;
  /** Receive and send spans. @default false, true when one of their two hooks is given */
  messageSpans?: boolean;
  /** Continue the caller's trace; `false` starts a new one, with a link, at a public edge. @default true */
  trustIncomingContext?: boolean;
  /**
   * Take client address, scheme and host from `Forwarded` (RFC 7239), else `X-Forwarded-*`: of any proxy (`true`), of that many,
   * or of proxies at these addresses and networks. @default false
   */
  trustProxy?: boolean | number | string[];
  /**
   * Headers to record, by name; `sanitize` are regexes of names whose values are redacted, as those of credentials always are.
   * @default OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST, _SERVER_RESPONSE and _SANITIZE_FIELDS
   */
  captureHeaders?: { request?: string[]; response?: string[]; sanitize?: string[] };
  /** Trace context in a response header. @default false */
  responseHeader?: false | 'traceresponse' | 'traceparent';
  tracerProvider?: TracerProvider;
  meterProvider?: MeterProvider;
  meter?: Meter;
}

/** {@link HttpTracingConfig}, with what only a worker's own tracing gives. */
export interface HttpTracing extends HttpTracingConfig {
  /** Instead of the API's global propagator. */
  propagator?: TextMapPropagator;
}
