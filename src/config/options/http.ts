/** @module Options of HTTP server spans. */
import type { Attributes, Meter, MeterProvider, Span, TracerProvider } from '@opentelemetry/api';
import type { HttpRequest, HttpResponse } from '../../http/types.js';
import {
  callback,
  called,
  choice,
  compilePattern,
  either,
  flag,
  instance,
  type Kind,
  listOf,
  pattern,
  text,
  token,
  whole,
} from '../kinds.js';
import { group, option } from '../option.js';

const TRUST_PROXY = 'true, false, a number of proxies or an array of their addresses';
/** Which text is one, `resolveHttp` finds out. */
const proxyAddress = called('an IP address or a network like 10.0.0.0/8', text);
const trustProxy = either<boolean | number | string[]>(TRUST_PROXY, 'boolean | number | string[]', (value) => {
  if (typeof value === 'boolean') return flag;
  if (typeof value === 'number') return called(TRUST_PROXY, whole(0));
  return Array.isArray(value) ? listOf(proxyAddress, TRUST_PROXY) : undefined;
});

const RESPONSE_HEADER = "false, 'traceresponse' or 'traceparent'";
const responseHeader: Kind<false | 'traceresponse' | 'traceparent'> = {
  expected: RESPONSE_HEADER,
  type: "false | 'traceresponse' | 'traceparent'",
  check: (found) =>
    [false, 'traceresponse', 'traceparent'].includes(found as never)
      ? undefined
      : { path: [], found, expected: RESPONSE_HEADER },
};

const headerNames = listOf(called('a header name', token), 'an array of header names');
const CAPTURE = 'OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS';

const httpGroup = group('HttpTracingConfig', 'HTTP server spans; also the second argument of `traceServer`.', {
  excludeUrlsEnvKey: option(text, {
    about: '`OTEL_NODE_<KEY>_EXCLUDED_URLS` is read, else `OTEL_NODE_EXCLUDED_URLS`.',
    default: 'HTTP',
  }),
  excludeUrls: option(listOf(pattern, 'an array of strings and RegExps'), {
    about:
      'Regular expressions, or their sources, searched in `scheme://host/path`. A request that one matches has no span and no metric. Those of the variable are added.',
    otherwise: 'none',
  }),
  ignoreIncomingRequestHook: option(
    callback<(request: HttpRequest) => boolean>('(request: HttpRequest) => boolean', 'a function (request)'),
    {
      about:
        'Called before anything else; `true` leaves the request, and what it does, untraced, as `excludeUrls` does. Named as in `@opentelemetry/instrumentation-http`.',
    },
  ),
  requireParentforIncomingSpans: option(flag, {
    about:
      'No span for a request whose caller sends no trace context; its child spans are still created. Named as in `@opentelemetry/instrumentation-http`.',
    default: false,
  }),
  spanDetails: option(
    callback<(request: HttpRequest) => { name?: string; attributes?: Attributes }>(
      '(request: HttpRequest) => { name?: string; attributes?: Attributes }',
      'a function (request) => { name, attributes }',
    ),
    {
      about: "Name and attributes at the span's start; a name that is given here is not replaced by the route.",
      otherwise: 'method and route',
    },
  ),
  serverRequestHook: option(
    callback<(span: Span, request: HttpRequest) => void>(
      '(span: Span, request: HttpRequest) => void',
      'a function (span, request)',
    ),
    {
      about:
        'Called when the span has started, before the app sees the request. A hook that throws is recorded on the span.',
    },
  ),
  responseHook: option(
    callback<(span: Span, response: HttpResponse) => void>(
      '(span: Span, response: HttpResponse) => void',
      'a function (span, response)',
    ),
    {
      about:
        'Called with the response when the span has started, as `responseHook` of `@opentelemetry/instrumentation-http` is.',
    },
  ),
  applyCustomAttributesOnSpan: option(
    callback<(span: Span, request: HttpRequest, response: HttpResponse) => void>(
      '(span: Span, request: HttpRequest, response: HttpResponse) => void',
      'a function (span, request, response)',
    ),
    { about: 'Called before the span ends. Named as in `@opentelemetry/instrumentation-http`.' },
  ),
  clientRequestHook: option(
    callback<(span: Span, request: HttpRequest, message: unknown) => void>(
      '(span: Span, request: HttpRequest, message: unknown) => void',
      'a function (span, request, message)',
    ),
    {
      about:
        "Called for each body chunk received, with the *receive* span; `message` is `{ type: 'http.request', body }`.",
    },
  ),
  clientResponseHook: option(
    callback<(span: Span, response: HttpResponse, message: unknown) => void>(
      '(span: Span, response: HttpResponse, message: unknown) => void',
      'a function (span, response, message)',
    ),
    {
      about:
        "Called for the response's start (`{ type: 'http.response.start', status }`) and each chunk sent (`{ type: 'http.response.body', body }`), with the *send* span.",
    },
  ),
  messageSpans: option(flag, {
    about: 'Whether each message of a body gets a receive or a send span.',
    otherwise: '`false`, `true` when `clientRequestHook` or `clientResponseHook` is given',
  }),
  excludeSpans: option(listOf(choice('receive', 'send'), "an array of 'receive' and 'send'"), {
    about: 'Which of the two kinds `messageSpans` leaves out.',
    otherwise: 'none',
  }),
  trustIncomingContext: option(flag, {
    about:
      "Whether a request continues the caller's trace. `false`, for a public edge, starts a new trace with a link to the caller's.",
    default: true,
  }),
  trustProxy: option(trustProxy, {
    about:
      'Take client address, scheme and host from `Forwarded` (RFC 7239), else `X-Forwarded-*`: of any proxy (`true`), of that many, or of proxies at these addresses and networks.',
    default: false,
  }),
  captureHeaders: group('CaptureHeaders', 'Headers to record, by name. Values of credentials are always redacted.', {
    request: option(headerNames, {
      about: 'Names of the request headers that are captured.',
      variable: `${CAPTURE}_SERVER_REQUEST`,
      otherwise: 'none',
    }),
    response: option(headerNames, {
      about: 'Names of the response headers that are captured.',
      variable: `${CAPTURE}_SERVER_RESPONSE`,
      otherwise: 'none',
    }),
    sanitize: option(listOf(sourceOfPattern(), 'an array of sources of regular expressions'), {
      about: 'Regular expressions of header names whose values are redacted, beside those of credentials.',
      variable: `${CAPTURE}_SANITIZE_FIELDS`,
      otherwise: 'none',
    }),
  }),
  redactQueryParams: option(listOf(text, 'an array of names'), {
    about:
      'Names of query parameters whose values are redacted in `url.query` and in captured URLs, beside those that always are. Case, `-` and `_` do not count; a name in brackets or behind a dot counts by itself (`user[pin]`).',
    otherwise: 'none',
  }),
  responseHeader: option(responseHeader, {
    about: 'Puts the trace context into a response header.',
    default: false,
  }),
  tracerProvider: option(instance<TracerProvider>('TracerProvider', 'a', 'getTracer'), {
    about: 'The tracer provider for server spans, instead of the registered one.',
  }),
  meterProvider: option(instance<MeterProvider>('MeterProvider', 'a', 'getMeter'), {
    about: 'The meter provider for server metrics, instead of the registered one.',
  }),
  meter: option(instance<Meter>('Meter', 'a', 'createCounter'), {
    about: 'The meter for server metrics, instead of one from the meter provider.',
  }),
});

function sourceOfPattern(): Kind<string> {
  const expected = 'the source of a regular expression';
  return {
    expected,
    type: 'string',
    check: (found) => (typeof found === 'string' && !pattern.check(found) ? undefined : { path: [], found, expected }),
    parse: (text) => (compilePattern(text) ? text : undefined),
  };
}

export const serving = { http: httpGroup };
