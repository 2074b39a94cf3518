/**
 * What a user may configure, and what forktrace hands to the user's functions.
 *
 * @module
 */
import type { Meter, MeterProvider, Tracer, TracerProvider } from '@opentelemetry/api';
import type { ExitCause } from '../forensics/exit-cause.js';
import type { ProcessExit } from '../process/process-exit.js';
import type { StopReason } from '../process/stop-reason.js';
import type { SpanProcessor } from '../sdk/types.js';
import type { ExportConfig, TracingConfig } from './tracing-config.js';

export type * from './tracing-config.js';
export type { ExitCause, ProcessExit, StopReason };

/** How spans leave a worker. */
export type PipelineName = NonNullable<TracingConfig['pipeline']>;

/** Where spans go. `viewer` is the embedded receiver with a web page. */
export type ExportDestination = NonNullable<ExportConfig['to']>;

/** Who this process is among its siblings. */
export interface WorkerIdentity {
  /** 0..N-1, a worker's stable place; undefined for a process in no slot. */
  slot: number | undefined;
  /** How many processes have lived in the slot before, from 0. */
  incarnation: number;
  /** `cluster.worker.id`, or pm2's id. */
  workerId: number | undefined;
  /** Who forked it: `cluster.manager`. */
  manager: 'cluster' | 'pm2' | 'none';
  /** Fresh per incarnation: `service.instance.id`. */
  instanceId: string;
}

/** What span processors are made with. */
export interface SpanProcessorParts {
  /**
   * The processor that ends the chain: it hands spans to the journal or, with pipeline `batch`, to the
   * exporter. It is added after the processors that are returned, unless it was asked for here: to be wrapped
   * by a processor that hands on copies, or that hands on only some of the spans.
   */
  readonly pipeline: SpanProcessor;
}

/** What an app factory and the worker hooks receive. */
export interface WorkerContext extends WorkerIdentity {
  /** For spans of the app's own. */
  tracer: Tracer;
  /** For metrics of the app's own; records nothing without a meter provider. */
  meter: Meter;
  /** Aborts when shutdown starts. */
  signal: AbortSignal;
  /** Runs at shutdown, after the server has drained and before spans are flushed; latest first. */
  onShutdown(fn: () => void | Promise<void>): void;
}

/** How a worker's process ended. */
export interface ChildExit extends ProcessExit {
  /** The worker's place, 0..N-1. */
  slot: number;
  /** Its process id. */
  pid: number;
  /** Why it ended. */
  cause: ExitCause;
  /** The coordinator asked for it. */
  planned: boolean;
  /** Ended spans that the shipper recovered from the journal after the death; 0 with `batch`. */
  spansRecovered: number;
  /** Requests in flight at the death, now interrupted spans; 0 with `batch`. */
  requestsInterrupted: number;
}

/** A function of {@link Hooks}. */
export type Hook<Args extends unknown[] = [], Result = void> = (...args: Args) => Result | Promise<Result>;

/** Anything with the shape of an OpenTelemetry instrumentation. */
export interface InstrumentationLike {
  /** For messages. */
  instrumentationName: string;
  /** Gets the worker's provider, before {@link enable}. */
  setTracerProvider(provider: TracerProvider): void;
  /** Gets the worker's provider, if metrics are on. */
  setMeterProvider(provider: MeterProvider): void;
  /** Patches what it instruments. */
  enable(): void;
  /** Called when tracing stops. */
  disable(): void;
}
