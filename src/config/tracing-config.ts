/**
 * Generated from the table of options (src/config/options) by `npm run generate`.
 *
 * @module
 */
import type { ListenOptions } from 'node:net';
import type { Attributes, Meter, MeterProvider, Span, TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import type { HttpRequest, HttpResponse } from '../http/types.js';
import type { IdGenerator, Resource, Sampler, SpanExporter, SpanProcessor } from '../sdk/types.js';
import type { ChildExit, InstrumentationLike, SpanProcessorParts, StopReason, WorkerContext } from './types.js';

/** Functions called in the coordinator and the workers. One that throws or hangs is logged with its name. */
export interface Hooks {
  /**
   * How long each hook may take. Takes a whole number from 1 to 2147483647, in milliseconds.
   *
   * @default 5000
   */
  timeoutMs?: number;
  /** Coordinator: before the first fork. @default none */
  onStarting?: () => void | Promise<void>;
  /** Coordinator: before a fork; returns extra environment for the worker. @default none */
  preFork?: (worker: {
    slot: number;
    incarnation: number;
  }) => Record<string, string> | void | Promise<Record<string, string> | void>;
  /** Coordinator: a worker has been forked. @default none */
  onWorkerStart?: (worker: { slot: number; pid: number }) => void | Promise<void>;
  /** Coordinator: a worker listens, and its `workerReady` has finished. @default none */
  onWorkerReady?: (worker: { slot: number; pid: number }) => void | Promise<void>;
  /** Coordinator: all workers are ready for the first time. @default none */
  onReady?: () => void | Promise<void>;
  /** Coordinator: a reload begins. @default none */
  onReload?: () => void | Promise<void>;
  /** Coordinator: the number of workers changes. @default none */
  onScale?: (change: { from: number; to: number }) => void | Promise<void>;
  /** Coordinator: a worker has ended. @default none */
  childExit?: (exit: ChildExit) => void | Promise<void>;
  /** Coordinator: all workers are gone. @default none */
  onExit?: () => void | Promise<void>;
  /** Worker: tracing has started, the app is not loaded yet. @default none */
  postFork?: (worker: WorkerContext) => void | Promise<void>;
  /** Worker: the server listens. @default none */
  workerReady?: (worker: WorkerContext) => void | Promise<void>;
  /** Worker: it begins to stop. @default none */
  workerStopping?: (worker: WorkerContext, reason: StopReason) => void | Promise<void>;
  /** Worker: drained; spans are flushed next. @default none */
  workerExit?: (worker: WorkerContext) => void | Promise<void>;
}

/** Certificates of OTLP connections. Files are read anew every 10 seconds. */
export interface ExportTls {
  /**
   * PEM, or the path of a PEM file: the authority that signs the endpoint's certificate. Takes a non-empty
   * string.
   *
   * @default the system's
   */
  ca?: string;
  /** PEM, or the path of a PEM file: the client's certificate. Takes a non-empty string. @default none */
  cert?: string;
  /** PEM, or the path of a PEM file: the client's key. Takes a non-empty string. @default none */
  key?: string;
  /** Whether a gRPC `url` without a scheme is plain text, without TLS. Takes true or false. @default false */
  insecure?: boolean;
}

/** Where spans are sent: for the shipper (`journal`) and the exporter in the worker (`batch`). */
export interface ExportConfig {
  /**
   * The destination. `viewer` is the embedded receiver with a web page.
   *
   * @default FORKTRACE_EXPORT, else OTEL_TRACES_EXPORTER, else the protocol of the configured endpoint, else
   * viewer, or otlp-grpc with NODE_ENV=production
   */
  to?: 'otlp-grpc' | 'otlp-http' | 'console' | 'none' | 'viewer';
  /**
   * The endpoint. gRPC: `http(s)://host:port`, or `host:port`, which is TLS unless `tls.insecure`. HTTP: the
   * full URL; one without a path gets `/v1/traces`. Takes a non-empty string.
   *
   * @default http://localhost:4317 (gRPC), http://localhost:4318/v1/traces (HTTP)
   */
  url?: string;
  /**
   * Headers that are sent with every export, in addition to those of the environment; for the same name this
   * option wins. A path names a file with one `name: value` on each line. The file is read, or the function
   * called, again every 10 seconds, so that tokens can rotate. Names and values consist of visible ASCII and
   * spaces, which HTTP and gRPC can send.
   *
   * @default none
   */
  headers?: Record<string, string> | string | (() => Record<string, string> | Promise<Record<string, string>>);
  /** How export requests are compressed. @default none */
  compression?: 'none' | 'gzip';
  /**
   * How long one export request may take, from its first byte to the last one of the answer. Takes a whole
   * number from 0 to 2147483647, 0 for no limit, in milliseconds.
   *
   * @default 10000
   */
  timeoutMs?: number;
  /**
   * Most bytes of one request of the shipper, before compression. A smaller limit of the endpoint is found
   * out, and larger requests are tried again at growing intervals. Takes a whole number from 65536 to
   * 67108864, in bytes.
   *
   * @default FORKTRACE_EXPORT_MAX_REQUEST_BYTES, else 2097152
   */
  maxRequestBytes?: number;
  /**
   * How long ended spans wait in the journal, so that several are sent in one request. A full request is sent
   * at once. Fewer requests cost the shipper and the endpoint less. Takes a whole number from 0 to 60000, in
   * milliseconds.
   *
   * @default FORKTRACE_EXPORT_GATHER_MS, else 1000; 300 to viewer and console
   */
  gatherMs?: number;
  /** Certificates of OTLP connections. Files are read anew every 10 seconds. */
  tls?: ExportTls;
}

/** Whether the coordinator starts the viewer. If a port is taken, the viewer tries the next ones. */
export interface ViewerConfig {
  /**
   * The port of the page and of OTLP/HTTP. Takes a port from 0 to 65535.
   *
   * @default FORKTRACE_VIEWER_HTTP_PORT, else 4318
   */
  httpPort?: number;
  /** The port of OTLP/gRPC. Takes a port from 0 to 65535. @default FORKTRACE_VIEWER_GRPC_PORT, else 4317 */
  grpcPort?: number;
}

/** The crash-safe log of ended spans. */
export interface JournalConfig {
  /**
   * The parent directory: the journal is in `<dir>/<service>` (characters that a path cannot hold are
   * percent-encoded), which only this user can enter. If it cannot be used, one warning says so, and spans go
   * through `batch`. Takes a non-empty string.
   *
   * @default FORKTRACE_JOURNAL_DIR, else forktrace-<uid> in the OS temp directory; where another user has
   * that name, $XDG_RUNTIME_DIR/forktrace, or a new one with a random name
   */
  dir?: string;
  /**
   * How large the directory may become; beyond that unshipped log records are dropped, then unshipped spans,
   * the oldest first. Takes a whole number from 65536, in bytes.
   *
   * @default FORKTRACE_JOURNAL_MAX_BYTES, else 268435456
   */
  maxBytes?: number;
  /**
   * `mmap`, `write`, or `auto`: `mmap` where koffi works and the file system writes in place. `write` takes
   * three system calls per request, or more. If the process is killed, spans that ended after the last
   * answer, in the same turn of the event loop, are not ended in the file.
   *
   * @default FORKTRACE_JOURNAL_MODE, else auto
   */
  mode?: 'auto' | 'mmap' | 'write';
  /**
   * `none`: spans in the journal survive any death of a process. `interval`: also a crash of the machine, up
   * to the last `syncIntervalMs`; files are synced to the disk off the event loop, and each span has a
   * checksum.
   *
   * @default FORKTRACE_JOURNAL_SYNC, else none
   */
  sync?: 'none' | 'interval';
  /**
   * How often files are synced to the disk with `sync: 'interval'`. Takes a whole number from 10 to
   * 2147483647, in milliseconds.
   *
   * @default 1000
   */
  syncIntervalMs?: number;
  /** The size of one segment file. Takes a multiple of 4096 from 8192, in bytes. @default 1048576 */
  segmentBytes?: number;
  /**
   * How many local-root spans in flight the in-flight table holds before it grows. Takes a whole number from
   * 1 to 1048576.
   *
   * @default 1024
   */
  inFlight?: number;
  /**
   * How long the last process of a container waits at its end until its journal is delivered. Which process
   * that is. Takes a whole number from 0 to 2147483647, in milliseconds.
   *
   * @default FORKTRACE_JOURNAL_END_TIMEOUT, else 5000
   */
  endTimeoutMs?: number;
}

/** What a span may contain; anything beyond is dropped and counted. */
export interface SpanLimitsConfig {
  /**
   * How many characters a string attribute may have. A longer one is cut. Takes a whole number from 0, or
   * Infinity.
   *
   * @default OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT, else OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT, else no limit
   */
  attributeValueLengthLimit?: number;
  /**
   * How many attributes of a span are kept. Those beyond are dropped and counted. Takes a whole number from
   * 0.
   *
   * @default OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, else OTEL_ATTRIBUTE_COUNT_LIMIT, else 128
   */
  attributeCountLimit?: number;
  /**
   * How many links of a span are kept. Those beyond are dropped and counted. Takes a whole number from 0.
   *
   * @default OTEL_SPAN_LINK_COUNT_LIMIT, else 128
   */
  linkCountLimit?: number;
  /**
   * How many events of a span are kept. Those beyond are dropped and counted. Takes a whole number from 0.
   *
   * @default OTEL_SPAN_EVENT_COUNT_LIMIT, else 128
   */
  eventCountLimit?: number;
  /**
   * How many attributes of an event are kept. Takes a whole number from 0.
   *
   * @default OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT, else 128
   */
  attributePerEventCountLimit?: number;
  /**
   * How many attributes of a link are kept. Takes a whole number from 0.
   *
   * @default OTEL_LINK_ATTRIBUTE_COUNT_LIMIT, else 128
   */
  attributePerLinkCountLimit?: number;
}

/** Sets up an SDK MeterProvider with an OTLP reader in each worker. */
export interface MetricsConfig {
  /**
   * Time between two exports of metrics. Takes a whole number from 1 to 2147483647, in milliseconds.
   *
   * @default OTEL_METRIC_EXPORT_INTERVAL, else 60000
   */
  intervalMs?: number;
  /**
   * Measures event-loop delay and utilisation, the heap and garbage collection. Takes true or false.
   *
   * @default true
   */
  runtime?: boolean;
  /**
   * The endpoint for metrics, in the form of `export.url`. Takes a non-empty string.
   *
   * @default beside the spans
   */
  url?: string;
}

/**
 * Keeps log records in the journal, beside spans, and exports them to the logs service. The last records of a
 * killed process are delivered, too. See logs.md.
 */
export interface LogsConfig {
  /**
   * The endpoint for log records, in the form of `export.url`. Takes a non-empty string.
   *
   * @default beside the spans
   */
  url?: string;
  /**
   * Records below it are not kept. A record without a severity is.
   *
   * @default FORKTRACE_LOGS_LEVEL, else trace
   */
  level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  /**
   * How many records of one process are kept in one second. Those beyond are dropped, counted and reported.
   * Takes a whole number from 1.
   *
   * @default FORKTRACE_LOGS_MAX_PER_SECOND, else 10000
   */
  maxPerSecond?: number;
  /**
   * Keeps what is written with `console` as log records and, in workers of `startClusterWithTracing`,
   * everything that they write to standard error. The output itself does not change. Takes true or false.
   *
   * @default FORKTRACE_LOGS_CAPTURE_OUTPUT, else false
   */
  captureOutput?: boolean;
  /**
   * How many attributes of a record are kept. Those beyond are dropped, and counted in the record. Takes a
   * whole number from 0.
   *
   * @default OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT, else OTEL_ATTRIBUTE_COUNT_LIMIT, else 128
   */
  attributeCountLimit?: number;
  /**
   * How many characters a body, and each text in attributes, may have. A longer one is cut, and ends in `…`.
   * Takes a whole number from 0, or Infinity.
   *
   * @default OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT, else OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT, else 65536
   */
  textLengthLimit?: number;
  /**
   * Patterns. Every match in bodies and in texts of attributes becomes `REDACTED` before anything is written.
   * Values of attributes that are named like credentials (`password`, `authorization`, `token` …) are always
   * replaced, at any depth.
   *
   * @default none
   */
  redact?: (string | RegExp)[];
}

/** Headers to record, by name. Values of credentials are always redacted. */
export interface CaptureHeaders {
  /**
   * Names of the request headers that are captured. Takes an array of header names.
   *
   * @default OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST, else none
   */
  request?: string[];
  /**
   * Names of the response headers that are captured. Takes an array of header names.
   *
   * @default OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE, else none
   */
  response?: string[];
  /**
   * Regular expressions of header names whose values are redacted, beside those of credentials. Takes an
   * array of sources of regular expressions.
   *
   * @default OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS, else none
   */
  sanitize?: string[];
}

/** HTTP server spans; also the second argument of `traceServer`. */
export interface HttpTracingConfig {
  /**
   * `OTEL_NODE_<KEY>_EXCLUDED_URLS` is read, else `OTEL_NODE_EXCLUDED_URLS`. Takes a non-empty string.
   *
   * @default HTTP
   */
  excludeUrlsEnvKey?: string;
  /**
   * Regular expressions, or their sources, searched in `scheme://host/path`. A request that one matches has
   * no span and no metric. Those of the variable are added.
   *
   * @default none
   */
  excludeUrls?: (string | RegExp)[];
  /**
   * Called before anything else; `true` leaves the request, and what it does, untraced, as `excludeUrls`
   * does. Named as in `@opentelemetry/instrumentation-http`.
   *
   * @default none
   */
  ignoreIncomingRequestHook?: (request: HttpRequest) => boolean;
  /**
   * No span for a request whose caller sends no trace context; its child spans are still created. Named as in
   * `@opentelemetry/instrumentation-http`. Takes true or false.
   *
   * @default false
   */
  requireParentforIncomingSpans?: boolean;
  /**
   * Name and attributes at the span's start; a name that is given here is not replaced by the route.
   *
   * @default method and route
   */
  spanDetails?: (request: HttpRequest) => { name?: string; attributes?: Attributes };
  /**
   * Called when the span has started, before the app sees the request. A hook that throws is recorded on the
   * span.
   *
   * @default none
   */
  serverRequestHook?: (span: Span, request: HttpRequest) => void;
  /**
   * Called with the response when the span has started, as `responseHook` of
   * `@opentelemetry/instrumentation-http` is.
   *
   * @default none
   */
  responseHook?: (span: Span, response: HttpResponse) => void;
  /** Called before the span ends. Named as in `@opentelemetry/instrumentation-http`. @default none */
  applyCustomAttributesOnSpan?: (span: Span, request: HttpRequest, response: HttpResponse) => void;
  /**
   * Called for each body chunk received, with the *receive* span; `message` is `{ type: 'http.request', body
   * }`.
   *
   * @default none
   */
  clientRequestHook?: (span: Span, request: HttpRequest, message: unknown) => void;
  /**
   * Called for the response's start (`{ type: 'http.response.start', status }`) and each chunk sent (`{ type:
   * 'http.response.body', body }`), with the *send* span.
   *
   * @default none
   */
  clientResponseHook?: (span: Span, response: HttpResponse, message: unknown) => void;
  /**
   * Whether each message of a body gets a receive or a send span. Takes true or false.
   *
   * @default false, true when clientRequestHook or clientResponseHook is given
   */
  messageSpans?: boolean;
  /** Which of the two kinds `messageSpans` leaves out. @default none */
  excludeSpans?: ('receive' | 'send')[];
  /**
   * Whether a request continues the caller's trace. `false`, for a public edge, starts a new trace with a
   * link to the caller's. Takes true or false.
   *
   * @default true
   */
  trustIncomingContext?: boolean;
  /**
   * Take client address, scheme and host from `Forwarded` (RFC 7239), else `X-Forwarded-*`: of any proxy
   * (`true`), of that many, or of proxies at these addresses and networks. Takes true, false, a number of
   * proxies or an array of their addresses.
   *
   * @default false
   */
  trustProxy?: boolean | number | string[];
  /** Headers to record, by name. Values of credentials are always redacted. */
  captureHeaders?: CaptureHeaders;
  /**
   * Names of query parameters whose values are redacted in `url.query` and in captured URLs, beside those
   * that always are. Case, `-` and `_` do not count; a name in brackets or behind a dot counts by itself
   * (`user[pin]`). Takes an array of names.
   *
   * @default none
   */
  redactQueryParams?: string[];
  /** Puts the trace context into a response header. @default false */
  responseHeader?: false | 'traceresponse' | 'traceparent';
  /** The tracer provider for server spans, instead of the registered one. @default none */
  tracerProvider?: TracerProvider;
  /** The meter provider for server metrics, instead of the registered one. @default none */
  meterProvider?: MeterProvider;
  /** The meter for server metrics, instead of one from the meter provider. @default none */
  meter?: Meter;
}

/** How the coordinator keeps workers alive. */
export interface SuperviseConfig {
  /**
   * How long a shutdown may take, from SIGTERM to the last worker's exit. Under pm2 it is not more than
   * `kill_timeout`. Takes a whole number from 1 to 2147483647, in milliseconds.
   *
   * @default FORKTRACE_SHUTDOWN_TIMEOUT, else 10000
   */
  shutdownTimeoutMs?: number;
  /**
   * How long a worker may take from its fork until it is ready. Takes a whole number from 1 to 2147483647, in
   * milliseconds.
   *
   * @default FORKTRACE_READY_TIMEOUT, else 30000
   */
  readyTimeoutMs?: number;
  /**
   * First wait before a respawn; it doubles with each failure. Takes a whole number from 0 to 2147483647, in
   * milliseconds.
   *
   * @default 100
   */
  backoffMinMs?: number;
  /**
   * Longest wait before a respawn, at least `supervise.backoffMinMs`. Takes a whole number from 0 to
   * 2147483647, in milliseconds.
   *
   * @default 10000
   */
  backoffMaxMs?: number;
  /**
   * How many unplanned deaths within `supervise.breakerWindowMs` open the breaker. Takes a whole number from
   * 1.
   *
   * @default 5 per worker
   */
  breakerDeaths?: number;
  /**
   * The time over which unplanned deaths are counted. Takes a whole number from 1 to 2147483647, in
   * milliseconds.
   *
   * @default 30000
   */
  breakerWindowMs?: number;
  /**
   * How long the breaker stays open before one worker is tried. Takes a whole number from 1 to 2147483647, in
   * milliseconds.
   *
   * @default 30000
   */
  breakerOpenMs?: number;
  /**
   * A worker whose event loop is blocked for longer is killed; 0: never. Takes a whole number from 0 to
   * 2147483647, in milliseconds.
   *
   * @default FORKTRACE_HEARTBEAT_TIMEOUT, else 10000
   */
  heartbeatTimeoutMs?: number;
  /**
   * Recycles a worker after this many requests, with up to 10 % jitter; 0: never. Takes a whole number from
   * 0.
   *
   * @default FORKTRACE_MAX_REQUESTS, else 0
   */
  maxRequests?: number;
  /**
   * Recycles a worker whose resident set is larger; 0: never. Takes a whole number from 0, in bytes.
   *
   * @default FORKTRACE_MAX_MEMORY, else 0
   */
  maxMemory?: number;
  /** Whether SIGHUP reloads the cluster. Takes true or false. @default true */
  reloadOnSighup?: boolean;
  /**
   * Puts the slot before each line that a worker writes. Takes true or false.
   *
   * @default FORKTRACE_PREFIX, else true on a terminal with more than one worker
   */
  prefix?: boolean;
}

/** What the coordinator finds out about a worker that is blocked or dies. */
export interface ForensicsConfig {
  /**
   * When the event loop of a worker is blocked, the coordinator reads its JavaScript stack and its active
   * span through the inspector. See forensics.md. Takes true or false.
   *
   * @default FORKTRACE_PEEK, else true
   */
  peek?: boolean;
  /**
   * A thread watches the heap. While the heap is more than 85 % full, code runs slower under a debugger. If
   * V8 then runs out of memory, the death has the function, the line and the request. Takes true or false.
   *
   * @default FORKTRACE_HEAP_OUT_OF_MEMORY, else false
   */
  heapOutOfMemory?: boolean;
  /**
   * Adds the last 16 KiB that a worker wrote to its standard error, and its last 20 log records, to
   * `worker.exit` as events, unless the worker was told to end. Under pm2, standard error comes from its log
   * file. Takes true or false.
   *
   * @default FORKTRACE_LAST_WORDS, else true
   */
  lastWords?: boolean;
  /**
   * Called in the coordinator, under pm2 in the shipper, with the last words before they are written; what it
   * returns is written. One that throws writes nothing.
   *
   * @default none
   */
  redactLastWords?: (text: string) => string;
}

/**
 * All options. Config beats environment. What opens sockets or timers is a factory, so that it is created in
 * the worker. A wrong value stops the start with a ForktraceError, code FORKTRACE_CONFIG_INVALID, that names
 * the option.
 */
export interface TracingConfig {
  /**
   * The name of the service: the attribute `service.name`, and the name of the journal directory. Takes a
   * non-empty string.
   *
   * @default OTEL_SERVICE_NAME, else service.name in OTEL_RESOURCE_ATTRIBUTES, else the name in the
   * package.json nearest to the program, else unknown_service:node
   */
  serviceName?: string;
  /**
   * The version of the service: the attribute `service.version`. Takes a non-empty string.
   *
   * @default service.version in OTEL_RESOURCE_ATTRIBUTES, else the version in that package.json
   */
  serviceVersion?: string;
  /**
   * Attributes, or a `Resource`, that win over detected ones. Spans are sent when its promises have settled.
   *
   * @default none
   */
  resource?: Attributes | Resource;
  /**
   * How many workers are forked. `WEB_CONCURRENCY=auto` means the number of CPUs. Takes a whole number from 1
   * to 1024.
   *
   * @default FORKTRACE_WORKERS, else WEB_CONCURRENCY, else the number of CPUs (os.availableParallelism())
   */
  workers?: number;
  /**
   * A port, or the options of `server.listen`. `PORT` may also be the path of a Unix socket. Takes a port
   * from 0 to 65535 or the options of server.listen.
   *
   * @default PORT, else 3000
   */
  listen?: number | ListenOptions;
  /**
   * Functions called in the coordinator and the workers. One that throws or hangs is logged with its name.
   */
  hooks?: Hooks;
  /**
   * Turns tracing off; the app runs without it. Takes true or false.
   *
   * @default OTEL_SDK_DISABLED, else false
   */
  disabled?: boolean;
  /**
   * How spans leave a worker: the crash-safe journal, or the SDK's BatchSpanProcessor.
   *
   * @default FORKTRACE_PIPELINE, else batch with an exporter, else journal
   */
  pipeline?: 'journal' | 'batch';
  /** Where spans are sent: for the shipper (`journal`) and the exporter in the worker (`batch`). */
  export?: ExportConfig;
  /**
   * Makes the exporter, instead of `export`. Implies `pipeline: 'batch'`; with `pipeline: 'journal'` it is an
   * error.
   *
   * @default none
   */
  exporter?: () => SpanExporter;
  /**
   * Whether the coordinator starts the viewer. If a port is taken, the viewer tries the next ones.
   *
   * @default FORKTRACE_VIEWER, else true when spans go to viewer
   */
  viewer?: boolean | ViewerConfig;
  /** The crash-safe log of ended spans. */
  journal?: JournalConfig;
  /**
   * Who ships the journal: a `process` of its own, or `inline`, this process's event loop.
   *
   * @default FORKTRACE_SHIP, else process
   */
  ship?: 'process' | 'inline';
  /** Decides which spans are recorded. @default OTEL_TRACES_SAMPLER, else parentbased_always_on */
  sampler?: Sampler;
  /** What a span may contain; anything beyond is dropped and counted. */
  spanLimits?: SpanLimitsConfig;
  /** An object that makes trace and span ids. @default random ids */
  idGenerator?: IdGenerator;
  /**
   * Read and write trace context in headers, messages and the environment.
   *
   * @default OTEL_PROPAGATORS, else W3C trace context and baggage
   */
  propagators?: TextMapPropagator[];
  /**
   * Makes span processors, in the worker. The pipeline's own comes after them, unless they wrap it: `({
   * pipeline }) => …`.
   *
   * @default none
   */
  spanProcessors?: (parts: SpanProcessorParts) => SpanProcessor[];
  /**
   * A tracer provider of your own. forktrace then builds none, and spans go where that one sends them.
   *
   * @default built in the worker
   */
  tracerProvider?: TracerProvider;
  /** The meter provider for metrics, instead of the one that is registered with the API. @default none */
  meterProvider?: MeterProvider;
  /** The meter for metrics, instead of one from the meter provider. @default none */
  meter?: Meter;
  /**
   * Sets up an SDK MeterProvider with an OTLP reader in each worker.
   *
   * @default false, true with OTEL_METRICS_EXPORTER
   */
  metrics?: boolean | MetricsConfig;
  /**
   * `'auto'`: enables what the app has installed, without code: `@opentelemetry/auto-instrumentations-node`,
   * or each installed `@opentelemetry/instrumentation-…`. A function makes instrumentations; they are enabled
   * in the worker before the app loads. `'none'`: none.
   *
   * @default FORKTRACE_INSTRUMENTATIONS, else 'auto' with forktrace/register and forktrace run, else 'none'
   */
  instrumentations?: 'auto' | 'none' | (() => InstrumentationLike[]);
  /**
   * One span around the whole life of a process that is no server, named after its program, so that a tool
   * without instrumentation has a trace. Takes true or false.
   *
   * @default FORKTRACE_ROOT_SPAN, else false
   */
  rootSpan?: boolean;
  /**
   * Trace outgoing `fetch` and `http` with the official instrumentations, when they are installed, and
   * children of `tracedFork` and `tracedSpawn` from start to exit. Takes true or false.
   *
   * @default FORKTRACE_OUTGOING, else false
   */
  outgoing?: boolean;
  /**
   * Keeps log records in the journal, beside spans, and exports them to the logs service. The last records of
   * a killed process are delivered, too. See logs.md.
   *
   * @default FORKTRACE_LOGS, else true unless NODE_ENV=production; there with OTEL_LOGS_EXPORTER
   */
  logs?: boolean | LogsConfig;
  /** HTTP server spans; also the second argument of `traceServer`. */
  http?: HttpTracingConfig;
  /** How the coordinator keeps workers alive. */
  supervise?: SuperviseConfig;
  /** What the coordinator finds out about a worker that is blocked or dies. */
  forensics?: ForensicsConfig;
}
