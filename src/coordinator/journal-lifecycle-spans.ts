/**
 * The coordinator's life as spans, through a journal of its own: no SDK and no exporter is needed to write one.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { ResolvedConfig } from '../config/resolved.js';
import type { ChildExit } from '../config/types.js';
import { encodeResource } from '../journal/encoder.js';
import { type Journal, openJournal } from '../journal/journal.js';
import { describeExit } from '../process/process-exit.js';
import type { Resource } from '../sdk/types.js';
import { JournalTracerProvider } from '../tracer/provider.js';
import { version } from '../version.js';
import type { LifecycleSpans } from './lifecycle-spans.js';

/** A few spans per worker life: no need of the workers' 1 MiB. */
const SEGMENT_BYTES = 64 * 1024;
const IN_FLIGHT = 64;

export class JournalLifecycleSpans implements LifecycleSpans {
  readonly #journal: Journal;
  readonly #tracer: Tracer;
  readonly #starting = new Map<string, Span>();
  #reload: Span | undefined;
  #shutdown: Span | undefined;

  /** @throws what {@link openJournal} throws */
  constructor(config: ResolvedConfig) {
    const attributes = coordinatorResource(config);
    this.#journal = openJournal({
      ...config.journal,
      segmentBytes: SEGMENT_BYTES,
      inFlight: IN_FLIGHT,
      resource: encodeResource(attributes),
    });
    const provider = new JournalTracerProvider({
      // Only processors read it, and there are none.
      resource: { attributes } as never,
      spanLimits: config.spanLimits,
      spanLog: this.#journal,
    });
    this.#tracer = provider.getTracer('forktrace', version);
  }

  workerForked(slot: number, incarnation: number, pid: number | undefined): void {
    const attributes = { ...worker(slot, incarnation), 'cluster.worker.pid': pid };
    this.#starting.set(key(slot, incarnation), this.#tracer.startSpan('worker.start', { attributes }, this.#parent()));
  }

  workerReady(slot: number, incarnation: number): void {
    this.#starting.get(key(slot, incarnation))?.end();
    this.#starting.delete(key(slot, incarnation));
  }

  workerDied(slot: number, incarnation: number): (exit: ChildExit) => void {
    const span = this.#tracer.startSpan('worker.exit', { attributes: worker(slot, incarnation) }, this.#parent());
    const unready = this.#starting.get(key(slot, incarnation));
    this.#starting.delete(key(slot, incarnation));
    return (exit) => {
      const { pid, code, signal, cause, planned } = exit;
      const why = `${cause}: the worker ${describeExit(exit)}`;
      unready?.setStatus({ code: SpanStatusCode.ERROR, message: why }).end();
      span.setAttributes({
        'cluster.worker.pid': pid,
        'forktrace.exit.cause': cause,
        'cluster.worker.exit.planned': planned,
        'cluster.worker.exit.spans_recovered': exit.spansRecovered,
        'cluster.worker.exit.requests_interrupted': exit.requestsInterrupted,
      });
      // Semantic conventions, process registry.
      if (code !== null) span.setAttribute('process.exit.code', code);
      if (signal !== null) span.setAttribute('cluster.worker.exit.signal', signal);
      if (!planned) span.setStatus({ code: SpanStatusCode.ERROR, message: why });
      span.end();
    };
  }

  reloadStarted(): void {
    this.#reload = this.#tracer.startSpan('cluster.reload', undefined, ROOT_CONTEXT);
  }

  reloadEnded(slots: readonly number[], error: string | undefined): void {
    this.#reload?.setAttribute('cluster.reload.slots', [...slots]);
    if (error !== undefined) this.#reload?.setStatus({ code: SpanStatusCode.ERROR, message: error });
    this.#reload?.end();
    this.#reload = undefined;
  }

  shutdownStarted(reason: string): void {
    const attributes = { 'cluster.shutdown.reason': reason };
    this.#shutdown = this.#tracer.startSpan('cluster.shutdown', { attributes }, ROOT_CONTEXT);
  }

  shutdownEnded(): void {
    this.#shutdown?.end();
  }

  close(): void {
    this.#journal.close();
  }

  /** What happens to workers during a reload or shutdown is part of it. */
  #parent(): Context {
    const span = this.#shutdown ?? this.#reload;
    return span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT;
  }
}

function worker(slot: number, incarnation: number): Attributes {
  return { 'cluster.worker.slot': slot, 'cluster.worker.incarnation': incarnation };
}

function key(slot: number, incarnation: number): string {
  return `${slot}.${incarnation}`;
}

function coordinatorResource(config: ResolvedConfig): Attributes {
  return {
    'telemetry.sdk.language': 'nodejs',
    'telemetry.distro.name': 'forktrace',
    'telemetry.distro.version': version,
    'host.name': hostname(),
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    ...config.environmentResource,
    'service.instance.id': randomUUID(),
    'cluster.manager': 'cluster',
    'cluster.role': 'coordinator',
    'service.name': config.serviceName,
    'service.version': config.serviceVersion,
    ...attributesOf(config.resource),
  };
}

/** A `Resource` has a `merge`, which plain attributes have not: a function is no attribute's value. */
function attributesOf(resource: ResolvedConfig['resource']): Attributes | undefined {
  return typeof resource?.merge === 'function'
    ? (resource as Resource).attributes
    : (resource as Attributes | undefined);
}
