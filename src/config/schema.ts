/**
 * What each option takes. A schema's message is the "expected …" of the error.
 *
 * @module
 */
import * as v from 'valibot';
import { oneOf, wholeNumber } from './environment.js';

const MAX_TIMEOUT_MS = 2_147_483_647; // setTimeout fires at once for more.

function whole(least: number, most: number = Number.MAX_SAFE_INTEGER) {
  const expected = wholeNumber(least, most);
  return v.optional(
    v.pipe(v.number(expected), v.safeInteger(expected), v.minValue(least, expected), v.maxValue(most, expected)),
  );
}
const milliseconds = (least: number) => whole(least, MAX_TIMEOUT_MS);
const port = whole(0, 65_535);
const text = v.optional(v.pipe(v.string('a non-empty string'), v.trim(), v.nonEmpty('a non-empty string')));
const flag = v.optional(v.boolean('true or false'));
const oneOfThese = <const Value extends string>(...values: Value[]) => v.optional(v.picklist(values, oneOf(values)));
const isFunction = (value: unknown) => typeof value === 'function';
const callback = (expected: string) => v.optional(v.custom<(...args: never[]) => unknown>(isFunction, expected));
const hook = callback('a function');

function hasMethods(value: unknown, ...names: string[]): boolean {
  return typeof value === 'object' && value !== null && names.every((name) => isFunction((value as never)[name]));
}
const object = (expected: string, ...methods: string[]) =>
  v.optional(v.custom<object>((value) => hasMethods(value, ...methods), expected));

/** `true`/`false`, or a block of options. */
const flagOr = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.optional(
    v.lazy((value) => (typeof value === 'object' ? schema : v.boolean('true, false or an object of options'))),
  );

const textRecord = v.optional(v.record(v.string(), v.string('a string'), 'an object of strings'));

/** OpenTelemetry specification, "Attribute": primitives and arrays of one kind of them; undefined is left out. */
function isAttributeValue(value: unknown): boolean {
  if (value === undefined || ['string', 'number', 'boolean'].includes(typeof value)) return true;
  if (!Array.isArray(value)) return false;
  const kinds = new Set(value.filter((item) => item !== null && item !== undefined).map((item) => typeof item));
  return kinds.size === 0 || (kinds.size === 1 && isAttributeValue(value.find((item) => item !== null)));
}
const attributeValue = v.custom<unknown>(isAttributeValue, 'a string, number, boolean or an array of one of them');
const resource = v.optional(
  v.lazy((value) =>
    hasMethods(value, 'merge')
      ? v.custom<object>(() => true)
      : v.record(v.string(), attributeValue, 'an object of attributes or a Resource'),
  ),
);

const urlPattern = v.custom<string | RegExp>((value) => {
  if (value instanceof RegExp) return true;
  try {
    return typeof value === 'string' && new RegExp(value) instanceof RegExp;
  } catch {
    return false;
  }
}, 'a RegExp, or the source of one');

const headerNames = v.optional(v.array(v.string('a header name'), 'an array of header names'));
const block = <const Entries extends v.ObjectEntries>(entries: Entries) =>
  v.strictObject(entries, 'an object of options');

const exportBlock = block({
  to: oneOfThese('otlp-grpc', 'otlp-http', 'console', 'none', 'viewer'),
  url: text,
  headers: textRecord,
  compression: oneOfThese('none', 'gzip'),
  timeoutMs: milliseconds(1),
  tls: v.optional(block({ ca: text, cert: text, key: text, insecure: flag })),
});

const journal = block({
  dir: text,
  maxBytes: whole(65_536),
  mode: oneOfThese('auto', 'mmap', 'write'),
  segmentBytes: v.optional(
    v.custom<number>(
      (value) => Number.isSafeInteger(value) && (value as number) >= 8192 && (value as number) % 4096 === 0,
      'a multiple of 4096 from 8192',
    ),
  ),
  inFlight: whole(1, 1_048_576),
});

const supervise = block({
  shutdownTimeoutMs: milliseconds(1),
  readyTimeoutMs: milliseconds(1),
  backoffMinMs: milliseconds(0),
  backoffMaxMs: milliseconds(0),
  breakerDeaths: whole(1),
  breakerWindowMs: milliseconds(1),
  breakerOpenMs: milliseconds(1),
  heartbeatTimeoutMs: milliseconds(0),
  maxRequests: whole(0),
  maxMemory: whole(0),
  reloadOnSighup: flag,
});

const spanLimits = block({
  attributeValueLengthLimit: v.optional(
    v.custom<number>(
      (value) => value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && (value as number) >= 0),
      `${wholeNumber(0)}, or Infinity`,
    ),
  ),
  attributeCountLimit: whole(0),
  linkCountLimit: whole(0),
  eventCountLimit: whole(0),
  attributePerEventCountLimit: whole(0),
  attributePerLinkCountLimit: whole(0),
});

const http = block({
  excludeUrlsEnvKey: text,
  excludeUrls: v.optional(v.array(urlPattern, 'an array of strings and RegExps')),
  spanDetails: callback('a function (request) => { name, attributes }'),
  serverRequestHook: callback('a function (span, request)'),
  clientRequestHook: callback('a function (span, request, message)'),
  clientResponseHook: callback('a function (span, response, message)'),
  messageSpans: flag,
  trustIncomingContext: flag,
  trustProxy: v.optional(
    v.union(
      [v.boolean(), v.pipe(v.number(), v.integer(), v.minValue(0)), v.array(v.string())],
      'true, false, a number of proxies or an array of their addresses',
    ),
  ),
  captureHeaders: v.optional(block({ request: headerNames, response: headerNames, sanitize: headerNames })),
  responseHeader: v.optional(
    v.picklist([false, 'traceresponse', 'traceparent'] as never[], "false, 'traceresponse' or 'traceparent'"),
  ),
  tracerProvider: object('a TracerProvider', 'getTracer'),
  meterProvider: object('a MeterProvider', 'getMeter'),
  meter: object('a Meter', 'createCounter'),
});

const hooks = block({
  timeoutMs: milliseconds(1),
  onStarting: hook,
  preFork: hook,
  onWorkerStart: hook,
  onWorkerReady: hook,
  onReady: hook,
  onReload: hook,
  onScale: hook,
  childExit: hook,
  onExit: hook,
  postFork: hook,
  workerReady: hook,
  workerStopping: hook,
  workerExit: hook,
});

const metrics = block({ intervalMs: milliseconds(1), runtime: flag, url: text });
const viewer = block({ httpPort: port, grpcPort: port });

export const tracingConfig = block({
  serviceName: text,
  serviceVersion: text,
  resource,
  workers: whole(1, 1024),
  listen: v.optional(
    v.lazy((value) =>
      typeof value === 'object' && value !== null
        ? v.looseObject({ port, host: text, path: text, backlog: whole(0) })
        : v.pipe(
            v.number('a port from 0 to 65535 or the options of server.listen'),
            v.integer('a port from 0 to 65535'),
            v.minValue(0, 'a port from 0 to 65535'),
            v.maxValue(65_535, 'a port from 0 to 65535'),
          ),
    ),
  ),
  pipeline: oneOfThese('journal', 'batch'),
  export: v.optional(exportBlock),
  exporter: callback('a function that returns a SpanExporter'),
  journal: v.optional(journal),
  ship: oneOfThese('process', 'inline'),
  sampler: object('a Sampler', 'shouldSample'),
  spanLimits: v.optional(spanLimits),
  idGenerator: object('an IdGenerator', 'generateTraceId', 'generateSpanId'),
  propagators: v.optional(
    v.array(
      v.custom<object>((value) => hasMethods(value, 'inject', 'extract', 'fields'), 'a TextMapPropagator'),
      'an array of TextMapPropagators',
    ),
  ),
  spanProcessors: callback('a function that returns an array of SpanProcessors'),
  tracerProvider: object('a TracerProvider', 'getTracer'),
  meterProvider: object('a MeterProvider', 'getMeter'),
  meter: object('a Meter', 'createCounter'),
  metrics: flagOr(metrics),
  instrumentations: callback('a function that returns an array of instrumentations'),
  outgoing: flag,
  http: v.optional(http),
  hooks: v.optional(hooks),
  supervise: v.optional(supervise),
  viewer: flagOr(viewer),
  disabled: flag,
});

/** The option names of each block, for "did you mean". */
export const optionNames: Record<string, string[]> = Object.fromEntries(
  Object.entries({
    '': tracingConfig,
    export: exportBlock,
    'export.tls': exportBlock.entries.tls.wrapped,
    journal,
    supervise,
    spanLimits,
    http,
    'http.captureHeaders': http.entries.captureHeaders.wrapped,
    hooks,
    metrics,
    viewer,
  }).map(([name, schema]) => [name, Object.keys(schema.entries)]),
);
