/**
 * The types of what a user may configure, and of what forktrace passes to the user's functions.
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

/** Which process this is among its siblings. */
export interface WorkerIdentity {
  /** The slot, 0 to N-1: a worker's stable place. Undefined for a process in no slot. */
  slot: number | undefined;
  /** How many processes the slot had before this one, from 0. */
  incarnation: number;
  /** The attribute `cluster.worker.id`, or pm2's id; undefined when there is neither. */
  workerId: number | undefined;
  /** Who forked the process: the attribute `cluster.manager`. */
  manager: 'cluster' | 'pm2' | 'none';
  /** The attribute `service.instance.id`, new for each process. */
  instanceId: string;
}

/** The argument of the function that makes span processors. */
export interface SpanProcessorParts {
  /**
   * The last processor: it gives spans to the journal or, with pipeline `batch`, to the exporter. It is added
   * after the returned processors, unless the function uses it: to wrap it in a processor that passes on
   * copies, or only some spans.
   */
  readonly pipeline: SpanProcessor;
}

/** The argument of an app factory and of the worker hooks. */
export interface WorkerContext extends WorkerIdentity {
  /** A tracer for the app's own spans, of the scope `forktrace`. */
  tracer: Tracer;
  /**
   * A meter for the app's own metrics, of the scope `forktrace`. It records nothing without a meter provider.
   */
  meter: Meter;
  /** Aborts when the worker begins to stop. */
  signal: AbortSignal;
  /**
   * Registers a function that runs when the worker stops, after the server has drained and before spans are
   * flushed. The function registered last runs first.
   */
  onShutdown(fn: () => void | Promise<void>): void;
}

/** How a worker's process ended. */
export interface ChildExit extends ProcessExit {
  /** The slot of the worker, 0 to N-1. */
  slot: number;
  /** Process id of the worker. */
  pid: number;
  /** Why the process ended. */
  cause: ExitCause;
  /** Whether the coordinator had asked the worker to stop. */
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
  /** Its name, for messages. */
  instrumentationName: string;
  /** Called with the worker's tracer provider, before {@link enable}. */
  setTracerProvider(provider: TracerProvider): void;
  /** Called with the worker's meter provider, if metrics are on. */
  setMeterProvider(provider: MeterProvider): void;
  /** Patches the package that it instruments. */
  enable(): void;
  /** Called when tracing stops. */
  disable(): void;
}
