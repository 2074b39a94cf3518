/**
 * What a user may configure. `resolve.ts` turns it, with the environment, into one {@link ResolvedConfig}.
 *
 * @module
 */
import type { ListenOptions } from 'node:net';
import type { Attributes, Meter, MeterProvider, TextMapPropagator, Tracer, TracerProvider } from '@opentelemetry/api';
import type { ExitCause } from '../forensics/exit-cause.js';
import type { HttpTracingConfig } from '../http/types.js';
import type { ProcessExit } from '../process/process-exit.js';
import type { StopReason } from '../process/stop-reason.js';
import type { IdGenerator, Resource, Sampler, SpanExporter, SpanLimits, SpanProcessor } from '../sdk/types.js';

export type { ExitCause, ProcessExit, StopReason };

/** How spans leave a worker. */
export type PipelineName = 'journal' | 'batch';

/** Where spans go. `viewer` is the embedded receiver with a web page. */
export type ExportDestination = 'otlp-grpc' | 'otlp-http' | 'console' | 'none' | 'viewer';

/** OTLP export, one block for the shipper (`journal`) and the worker's exporter (`batch`). */
export interface ExportConfig {
  /** @default 'viewer' unless NODE_ENV=production, else 'otlp-grpc' */
  to?: ExportDestination;
  /** Endpoint. gRPC: `http://host:4317`. HTTP: the full URL, `http://host:4318/v1/traces`. */
  url?: string;
  headers?: Record<string, string>;
  /** @default 'none' */
  compression?: 'none' | 'gzip';
  /** Milliseconds for one export request. @default 10000 */
  timeoutMs?: number;
  /** PEM contents or a file path. */
  tls?: { ca?: string; cert?: string; key?: string; insecure?: boolean };
}

/** The crash-safe log of ended spans. */
export interface JournalConfig {
  /** Parent directory; the journal is in `<dir>/<service>`. @default `forktrace-<uid>` in the OS temp directory */
  dir?: string;
  /** Bytes that the journal directory may take. @default 268435456 (256 MiB) */
  maxBytes?: number;
  /** `mmap` needs koffi; `auto` falls back to `write`. @default 'auto' */
  mode?: 'auto' | 'mmap' | 'write';
  /** Bytes of one segment, a multiple of 4096. @default 1048576 (1 MiB) */
  segmentBytes?: number;
  /** Local-root spans in flight at once that the in-flight table holds before it grows. @default 1024 */
  inFlight?: number;
}

/** Worker metrics through an SDK MeterProvider with an OTLP reader per worker. */
export interface MetricsConfig {
  /** Milliseconds between exports. @default 60000 (OTEL_METRIC_EXPORT_INTERVAL) */
  intervalMs?: number;
  /** Event-loop delay and utilisation, heap, GC. @default true */
  runtime?: boolean;
  url?: string;
}

/** How the coordinator keeps workers alive. Times in milliseconds. */
export interface SuperviseConfig {
  /** From SIGTERM to the last worker's exit. @default 10000 (below `kill_timeout` under pm2) */
  shutdownTimeoutMs?: number;
  /** From fork to ready. @default 30000 */
  readyTimeoutMs?: number;
  /** First wait before a respawn; doubles with each failure. @default 100 */
  backoffMinMs?: number;
  /** @default 10000 */
  backoffMaxMs?: number;
  /** Unplanned deaths within `breakerWindowMs` that open the breaker. @default 5 per worker */
  breakerDeaths?: number;
  /** @default 30000 */
  breakerWindowMs?: number;
  /** How long the breaker stays open before one worker is tried. @default 30000 */
  breakerOpenMs?: number;
  /** A worker whose event loop is blocked for longer is killed; 0 turns the watchdog off. @default 10000 */
  heartbeatTimeoutMs?: number;
  /** Recycle a worker after this many requests (with up to 10 % jitter); 0 is never. @default 0 */
  maxRequests?: number;
  /** Recycle a worker whose resident set is larger, in bytes; 0 is never. @default 0 */
  maxMemory?: number;
  /** SIGHUP reloads. @default true */
  reloadOnSighup?: boolean;
}

/** The viewer process. */
export interface ViewerConfig {
  /** Page and OTLP/HTTP port; moved on when taken. @default 4318 */
  httpPort?: number;
  /** OTLP/gRPC port; moved on when taken. @default 4317 */
  grpcPort?: number;
}

/** Who this process is among its siblings. */
export interface WorkerIdentity {
  /** 0..N-1, a worker's stable place; undefined for a process in no slot. */
  slot: number | undefined;
  /** How many processes have lived in the slot before, from 0. */
  incarnation: number;
  /** `cluster.worker.id`, or pm2's id. */
  workerId: number | undefined;
  manager: 'cluster' | 'pm2' | 'none';
  /** Fresh per incarnation: `service.instance.id`. */
  instanceId: string;
}

/** What an app factory and the worker hooks receive. */
export interface WorkerContext extends WorkerIdentity {
  tracer: Tracer;
  meter: Meter;
  /** Aborts when shutdown starts. */
  signal: AbortSignal;
  /** Runs at shutdown, after the server has drained and before spans are flushed; latest first. */
  onShutdown(fn: () => void | Promise<void>): void;
}

/** How a worker's process ended. */
export interface ChildExit extends ProcessExit {
  slot: number;
  pid: number;
  cause: ExitCause;
  /** The coordinator asked for it. */
  planned: boolean;
  /** Ended spans that the shipper recovered from the journal after the death; 0 with `batch`. */
  spansRecovered: number;
  /** Requests in flight at the death, now interrupted spans; 0 with `batch`. */
  requestsInterrupted: number;
}

type Hook<Args extends unknown[] = [], Result = void> = (...args: Args) => Result | Promise<Result>;

/** Gunicorn's server hooks, for Node. Each is isolated and has a timeout; one that fails is logged with its name. */
export interface Hooks {
  /** Milliseconds that each hook has. @default 5000 */
  timeoutMs?: number;
  // Coordinator
  onStarting?: Hook;
  /** Returns extra environment for the worker. */
  preFork?: Hook<[{ slot: number; incarnation: number }], Record<string, string> | void>;
  onWorkerStart?: Hook<[{ slot: number; pid: number }]>;
  onWorkerReady?: Hook<[{ slot: number; pid: number }]>;
  /** All workers are ready for the first time. */
  onReady?: Hook;
  onReload?: Hook;
  onScale?: Hook<[{ from: number; to: number }]>;
  childExit?: Hook<[ChildExit]>;
  onExit?: Hook;
  // Worker
  /** Provider built, app not loaded yet. */
  postFork?: Hook<[WorkerContext]>;
  workerReady?: Hook<[WorkerContext]>;
  workerStopping?: Hook<[WorkerContext, StopReason]>;
  workerExit?: Hook<[WorkerContext]>;
}

/** Anything with the shape of an OpenTelemetry instrumentation. */
export interface InstrumentationLike {
  instrumentationName: string;
  setTracerProvider(provider: TracerProvider): void;
  setMeterProvider(provider: MeterProvider): void;
  enable(): void;
  disable(): void;
}

/** All optional. Config beats environment. What opens sockets or timers is a factory, so that it is created in the worker. */
export interface TracingConfig {
  /** @default OTEL_SERVICE_NAME, else the name in the nearest package.json, else unknown_service:node */
  serviceName?: string;
  serviceVersion?: string;
  /** Attributes that win over detected ones. */
  resource?: Attributes | Resource;
  /** @default WEB_CONCURRENCY, else os.availableParallelism() */
  workers?: number;
  /** Port, or `server.listen` options. @default PORT, else 3000 */
  listen?: number | ListenOptions;
  /** @default 'journal' */
  pipeline?: PipelineName;
  export?: ExportConfig;
  /** Implies `pipeline: 'batch'` unless that is set. */
  exporter?: () => SpanExporter;
  journal?: JournalConfig;
  /** Who ships the journal: a process of its own, or this process's event loop. @default 'process' */
  ship?: 'process' | 'inline';
  sampler?: Sampler;
  spanLimits?: SpanLimits;
  idGenerator?: IdGenerator;
  propagators?: TextMapPropagator[];
  spanProcessors?: () => SpanProcessor[];
  /** Used instead of building one. */
  tracerProvider?: TracerProvider;
  meterProvider?: MeterProvider;
  meter?: Meter;
  /** Set up an SDK MeterProvider with an OTLP reader per worker. @default false */
  metrics?: boolean | MetricsConfig;
  instrumentations?: () => InstrumentationLike[];
  /** Trace outgoing `fetch` and `http` with the official instrumentations, when they are installed. @default false */
  outgoing?: boolean;
  http?: HttpTracingConfig;
  hooks?: Hooks;
  supervise?: SuperviseConfig;
  /** @default true when nothing is configured and NODE_ENV is not production */
  viewer?: boolean | ViewerConfig;
  /** No tracing at all; the app still runs. @default OTEL_SDK_DISABLED */
  disabled?: boolean;
}
