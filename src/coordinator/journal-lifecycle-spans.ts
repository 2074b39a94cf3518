/**
 * Records the life of the cluster as spans, in a journal of the coordinator's own. That needs neither an SDK
 * nor an exporter.
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
import { attributesSettled, knownAttributes, schemaUrlOf } from '../config/index.js';
import type { ResolvedConfig, ResolvedLogs } from '../config/resolved.js';
import type { ChildExit } from '../config/types.js';
import { blockAttributes } from '../forensics/block.js';
import { exitExceptionAttributes } from '../forensics/exit-exception.js';
import { lastLogAttributes } from '../forensics/last-log-attributes.js';
import { vitalsAttributes } from '../forensics/vitals-attributes.js';
import { isBehind } from '../journal/delivery.js';
import { encodeResource } from '../journal/encoder.js';
import { type Journal, openJournal } from '../journal/journal.js';
import { StderrRecords } from '../logs/stderr-records.js';
import { version } from '../own-files.js';
import { describeExit } from '../process/process-exit.js';
import { sayDestination, sayPlace } from '../shipper/say-destination.js';
import { JournalTracerProvider } from '../tracer/provider.js';
import {
  CLUSTER_BREAKER,
  CLUSTER_BREAKER_STATE,
  CLUSTER_MANAGER,
  CLUSTER_RELOAD,
  CLUSTER_RELOAD_SLOTS,
  CLUSTER_ROLE,
  CLUSTER_SCALE,
  CLUSTER_SHUTDOWN,
  CLUSTER_SHUTDOWN_REASON,
  CLUSTER_START,
  CLUSTER_WORKER_INCARNATION,
  CLUSTER_WORKER_PID,
  CLUSTER_WORKER_SLOT,
  CLUSTER_WORKERS,
  DEATH_ID,
  EVENT_LOOP_BLOCKED,
  EXIT_CAUSE,
  EXIT_PLANNED,
  EXIT_REQUESTS_INTERRUPTED,
  EXIT_SIGNAL,
  EXIT_SPANS_RECOVERED,
  HOST_NAME,
  LAST_LOG,
  LAST_WORDS,
  LAST_WORDS_TEXT,
  PROCESS_EXIT_CODE,
  PROCESS_PID,
  PROCESS_RUNTIME_NAME,
  PROCESS_RUNTIME_VERSION,
  SERVICE_INSTANCE_ID,
  SERVICE_NAME,
  SERVICE_VERSION,
  TELEMETRY_DISTRO_NAME,
  TELEMETRY_DISTRO_VERSION,
  TELEMETRY_SDK_LANGUAGE,
  WORKER_EXIT,
  WORKER_START,
} from '../wire/conventions.js';
import type { EndedBlock } from './block-watch.js';
import type { Findings, LifecycleSpans } from './lifecycle-spans.js';

/** A worker's life makes only a few spans, so segments are smaller than the workers' 1 MiB. */
const SEGMENT_BYTES = 64 * 1024;
const IN_FLIGHT = 64;

export class JournalLifecycleSpans implements LifecycleSpans {
  readonly #journal: Journal;
  readonly #logs: ResolvedLogs | undefined;
  readonly #unsay: () => void;
  readonly #tracer: Tracer;
  readonly #starting = new Map<string, Span>();
  readonly #start: Span;
  #started = false;
  #reload: Span | undefined;
  #scale: Span | undefined;
  #shutdown: Span | undefined;

  /** @throws what {@link openJournal} throws */
  constructor(config: ResolvedConfig) {
    this.#logs = config.logs;
    const attributes = coordinatorResource(config);
    const settled = attributesSettled(config.resource);
    this.#journal = openJournal({
      ...config.journal,
      ...(!config.logs?.captureOutput && { segmentBytes: SEGMENT_BYTES }),
      inFlight: IN_FLIGHT,
      resource: encodeResource(attributes),
      schemaUrl: schemaUrlOf(config.resource),
      isResourcePending: settled !== undefined,
      renewed: (writerId) => sayPlace(config.journal.dir, writerId, config.export),
    });
    void settled?.then(() => {
      const { resource } = config;
      this.#journal.useResource(encodeResource({ ...attributes, ...knownAttributes(resource) }));
    });
    this.#unsay = sayDestination(config.journal.dir, this.#journal.writerId, config.export, () =>
      isBehind(this.#journal),
    );
    const provider = new JournalTracerProvider({
      // Only span processors read it, and there are none here.
      resource: { attributes } as never,
      spanLimits: config.spanLimits,
      spanLog: this.#journal,
    });
    this.#tracer = provider.getTracer('forktrace', version);
    this.#start = this.#tracer.startSpan(CLUSTER_START, undefined, ROOT_CONTEXT);
  }

  workerForked(slot: number, incarnation: number, pid: number | undefined): void {
    const attributes = { ...worker(slot, incarnation), [CLUSTER_WORKER_PID]: pid };
    this.#starting.set(key(slot, incarnation), this.#tracer.startSpan(WORKER_START, { attributes }, this.#parent()));
  }

  workerReady(slot: number, incarnation: number): void {
    this.#starting.get(key(slot, incarnation))?.end();
    this.#starting.delete(key(slot, incarnation));
  }

  workerDied(slot: number, incarnation: number): (exit: ChildExit, findings: Findings) => void {
    const diedAtMs = Date.now();
    const span = this.#tracer.startSpan(WORKER_EXIT, { attributes: worker(slot, incarnation) }, this.#parent());
    const unready = this.#starting.get(key(slot, incarnation));
    this.#starting.delete(key(slot, incarnation));
    return (exit, { deathId, block, lastWords, lastLogs = [], record, vitals }) => {
      const { pid, code, signal, cause, planned } = exit;
      const why = `${cause}: the worker ${describeExit(exit)}`;
      unready?.setStatus({ code: SpanStatusCode.ERROR, message: why }).end();
      span.setAttributes({
        [CLUSTER_WORKER_PID]: pid,
        [EXIT_CAUSE]: cause,
        [EXIT_PLANNED]: planned,
        [EXIT_SPANS_RECOVERED]: exit.spansRecovered,
        [EXIT_REQUESTS_INTERRUPTED]: exit.requestsInterrupted,
      });
      // The attribute's name is from the semantic conventions, process registry.
      if (code !== null) span.setAttribute(PROCESS_EXIT_CODE, code);
      if (signal !== null) span.setAttribute(EXIT_SIGNAL, signal);
      if (deathId !== undefined) span.setAttribute(DEATH_ID, deathId);
      if (block !== undefined) span.setAttributes(blockAttributes(block));
      if (lastWords !== undefined) span.addEvent(LAST_WORDS, { [LAST_WORDS_TEXT]: lastWords });
      for (const log of lastLogs) span.addEvent(LAST_LOG, lastLogAttributes(log), log.timeMs);
      if (vitals !== undefined) span.setAttributes(vitalsAttributes(vitals, diedAtMs));
      span.setAttributes(exitExceptionAttributes(record));
      if (!planned) span.setStatus({ code: SpanStatusCode.ERROR, message: why });
      span.end();
    };
  }

  stderrRecords(slot: number, incarnation: number, pid: number): StderrRecords | undefined {
    if (!this.#logs?.captureOutput) return undefined;
    const attributes = { ...worker(slot, incarnation), [CLUSTER_WORKER_PID]: pid };
    return new StderrRecords(this.#logs, this.#journal, `worker ${slot} (pid ${pid})`, attributes);
  }

  blockEnded(slot: number, incarnation: number, { since, until, ...block }: EndedBlock): void {
    const { active } = block;
    const attributes = { ...worker(slot, incarnation), ...blockAttributes(block) };
    const parent = active && { traceId: active.traceId, spanId: active.spanId, traceFlags: 1, isRemote: true };
    this.#tracer
      .startSpan(
        EVENT_LOOP_BLOCKED,
        { attributes, startTime: since },
        parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT,
      )
      .end(until);
  }

  clusterReady(workers: number): void {
    this.#started = true;
    this.#start.setAttribute(CLUSTER_WORKERS, workers).end();
  }

  scaleStarted(workers: number): void {
    // The number changed again before the first was reached: one span covers both.
    this.#scale ??= this.#tracer.startSpan(CLUSTER_SCALE, undefined, ROOT_CONTEXT);
    this.#scale.setAttribute(CLUSTER_WORKERS, workers);
  }

  scaleEnded(error: string | undefined): void {
    if (error !== undefined) this.#scale?.setStatus({ code: SpanStatusCode.ERROR, message: error });
    this.#scale?.end();
    this.#scale = undefined;
  }

  reloadStarted(): void {
    this.#reload = this.#tracer.startSpan(CLUSTER_RELOAD, undefined, ROOT_CONTEXT);
  }

  reloadEnded(slots: readonly number[], error: string | undefined): void {
    this.#reload?.setAttribute(CLUSTER_RELOAD_SLOTS, [...slots]);
    if (error !== undefined) this.#reload?.setStatus({ code: SpanStatusCode.ERROR, message: error });
    this.#reload?.end();
    this.#reload = undefined;
  }

  breakerChanged(state: 'open' | 'half-open' | 'closed'): void {
    const attributes = { [CLUSTER_BREAKER_STATE]: state };
    const span = this.#tracer.startSpan(CLUSTER_BREAKER, { attributes }, ROOT_CONTEXT);
    if (state === 'open') span.setStatus({ code: SpanStatusCode.ERROR, message: 'workers keep dying' });
    span.end();
  }

  shutdownStarted(reason: string): void {
    const attributes = { [CLUSTER_SHUTDOWN_REASON]: reason };
    this.#shutdown = this.#tracer.startSpan(CLUSTER_SHUTDOWN, { attributes }, ROOT_CONTEXT);
  }

  shutdownEnded(): void {
    this.#shutdown?.end();
  }

  close(): void {
    if (!this.#started)
      this.#start.setStatus({ code: SpanStatusCode.ERROR, message: 'the cluster did not start' }).end();
    this.#unsay();
    this.#journal.close();
  }

  /** Events of workers during a start, scaling, reload or shutdown are children of its span. */
  #parent(): Context {
    const span = this.#shutdown ?? this.#reload ?? this.#scale ?? (this.#started ? undefined : this.#start);
    return span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT;
  }
}

function worker(slot: number, incarnation: number): Attributes {
  return { [CLUSTER_WORKER_SLOT]: slot, [CLUSTER_WORKER_INCARNATION]: incarnation };
}

function key(slot: number, incarnation: number): string {
  return `${slot}.${incarnation}`;
}

function coordinatorResource(config: ResolvedConfig): Attributes {
  return {
    [TELEMETRY_SDK_LANGUAGE]: 'nodejs',
    [TELEMETRY_DISTRO_NAME]: 'forktrace',
    [TELEMETRY_DISTRO_VERSION]: version,
    [HOST_NAME]: hostname(),
    [PROCESS_PID]: process.pid,
    [PROCESS_RUNTIME_NAME]: 'nodejs',
    [PROCESS_RUNTIME_VERSION]: process.versions.node,
    ...config.environmentResource,
    [SERVICE_INSTANCE_ID]: randomUUID(),
    [CLUSTER_MANAGER]: 'cluster',
    [CLUSTER_ROLE]: 'coordinator',
    [SERVICE_NAME]: config.serviceName,
    [SERVICE_VERSION]: config.serviceVersion,
    ...knownAttributes(config.resource),
  };
}
