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
  spanDetails?: (request: HttpRequest) => { name?: string; attributes?: Attributes };
  serverRequestHook?: (span: Span, request: HttpRequest) => void;
  /** Once per body chunk received, with the *receive* span. */
  clientRequestHook?: (span: Span, request: HttpRequest, message: unknown) => void;
  /** For response start and each body chunk sent, with the *send* span. */
  clientResponseHook?: (span: Span, response: HttpResponse, message: unknown) => void;
  /** Receive and send spans. @default false */
  messageSpans?: boolean;
  /** Continue the caller's trace; `false` starts a new one, with a link, at a public edge. @default true */
  trustIncomingContext?: boolean;
  /** Take client address and scheme from `Forwarded` and `X-Forwarded-*`. @default false */
  trustProxy?: boolean | number | string[];
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
