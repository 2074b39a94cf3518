/**
 * Workers and what became of them, learnt from the spans that pass: resources name the slot and the
 * incarnation, SERVER spans are its requests, and the coordinator's own spans tell of forks, exits, reloads
 * and the shutdown. It is kept beside the traces, so that a kill is still to be seen when its minute's traces
 * are long gone.
 *
 * @module
 */

import {
  CLUSTER_BREAKER,
  CLUSTER_BREAKER_STATE,
  CLUSTER_RELOAD,
  CLUSTER_SCALE,
  CLUSTER_SHUTDOWN,
  CLUSTER_START,
  CLUSTER_WORKER_INCARNATION,
  CLUSTER_WORKER_PID,
  CLUSTER_WORKER_SLOT,
  DEATH_ID,
  EXIT_CAUSE,
  EXIT_EVENT,
  EXIT_PLANNED,
  EXIT_REQUESTS_INTERRUPTED,
  EXIT_SIGNAL,
  EXIT_SPANS_RECOVERED,
  PROCESS_EXIT_CODE,
  WORKER_EXIT,
  WORKER_START,
} from '../../wire/conventions.js';
import { decode } from '../../wire/decode.js';
import { Span } from '../../wire/otlp.js';
import type { KeyValue } from '../../wire/otlp-json.js';
import type { ClusterEventView } from '../api-types/cluster.js';
import type { BlockedWorker } from '../viewer-messages.js';
import { isOfThisHost } from './process-gone.js';
import { asNumber, type ProcessResource, scalar } from './process-resource.js';
import { RequestSeries, type ServedRequest } from './request-series.js';
import { isEntry, type StoredSpan, type Trace } from './trace.js';

export interface IncarnationHistory {
  instanceId: string;
  incarnation: number | undefined;
  pid: number | undefined;
  host: string;
  /** `service.instance.id` of the coordinator that forked it; '' when none has told. */
  coordinator: string;
  startMs: number | undefined;
  readyMs: number | undefined;
  firstMs: number;
  lastMs: number;
  /** Spans that have come from it. */
  spans: number;
  /** Requests that its death cut off, as far as they have arrived. */
  interrupted: number;
  exit: Exit | undefined;
}

export interface Exit {
  atMs: number;
  /** One of the fixed list of exit causes. */
  cause: string | undefined;
  code: number | undefined;
  signal: string | undefined;
  planned: boolean | undefined;
  spansRecovered: number | undefined;
  requestsInterrupted: number | undefined;
  traceId: string;
  deathId: string | undefined;
}

/** One slot of one service on one machine, or one process in no slot. */
export interface Lane {
  service: string;
  host: string;
  slot: number | undefined;
  /** By start. */
  incarnations: IncarnationHistory[];
  requests: RequestSeries;
}

/** A process that forks workers. */
export interface CoordinatorHistory {
  service: string;
  host: string;
  pid: number | undefined;
  firstMs: number;
  /** The crash-loop breaker, as it last said. */
  breaker: { state: string; atMs: number } | undefined;
}

const MAX_LANES = 256;
const MAX_INCARNATIONS = 64;
const MAX_COORDINATORS = 256;
const MAX_EVENTS = 512;

/** Spans of the coordinator that concern every lane. */
const CLUSTER_EVENTS = new Set<string>([CLUSTER_RELOAD, CLUSTER_SHUTDOWN, CLUSTER_START, CLUSTER_SCALE]);

export class ClusterHistory {
  readonly lanes = new Set<Lane>();
  /** By service and slot, one per machine. */
  readonly #hosts = new Map<string, Lane[]>();
  readonly events: ClusterEventView[] = [];
  /** By `service.instance.id`. */
  readonly coordinators = new Map<string, CoordinatorHistory>();
  #blocked: readonly BlockedWorker[] = [];
  /** Grows with what is learnt otherwise than by spans. */
  version = 0;
  #incarnations = new WeakMap<ProcessResource, { lane: Lane; incarnation: IncarnationHistory }>();

  clear(): void {
    this.lanes.clear();
    this.#hosts.clear();
    this.coordinators.clear();
    this.events.length = 0;
    this.#incarnations = new WeakMap();
  }

  /** Of the workers of this machine; none that is left out is blocked any more. */
  setBlocked(workers: readonly BlockedWorker[]): void {
    this.#blocked = workers;
    this.version++;
  }

  /** Undefined for one whose event loop turns, as far as is known. */
  blockOf({ pid, host }: IncarnationHistory): BlockedWorker | undefined {
    return isOfThisHost(host) ? this.#blocked.find((worker) => worker.pid === pid) : undefined;
  }

  add(span: StoredSpan, trace: Trace): void {
    if (span.name === WORKER_START || span.name === WORKER_EXIT) {
      this.#addWorkerSpan(span, trace);
      return;
    }
    if (span.name === CLUSTER_BREAKER) {
      const state = text(decode(span.bytes, Span).attributes ?? [], CLUSTER_BREAKER_STATE) ?? '';
      const coordinator = this.#coordinator(span);
      if ((coordinator.breaker?.atMs ?? 0) <= span.startMs) coordinator.breaker = { state, atMs: span.startMs };
      return;
    }
    if (CLUSTER_EVENTS.has(span.name)) {
      this.#coordinator(span);
      const { name, startMs, endMs, error } = span;
      this.events.push({ service: span.resource.service, name, startMs, endMs, error, traceId: trace.id });
      if (this.events.length > MAX_EVENTS) this.events.shift();
      return;
    }
    // A process in no slot that serves nothing is no worker: a client, the coordinator.
    if (span.resource.slot === undefined && !isEntry(span) && !this.#incarnations.has(span.resource)) return;
    const { lane, incarnation } = this.#of(span.resource, span.startMs);
    incarnation.spans++;
    if (span.startMs < incarnation.firstMs) incarnation.firstMs = span.startMs;
    if (span.endMs > incarnation.lastMs) incarnation.lastMs = span.endMs;
    if (isEntry(span)) lane.requests.add(servedRequest(span, trace.id));
    if (span.interrupted) noteInterruption(incarnation, span, trace.id);
  }

  #of(resource: ProcessResource, atMs: number): { lane: Lane; incarnation: IncarnationHistory } {
    const known = this.#incarnations.get(resource);
    if (known !== undefined) return known;
    const { service, slot, instanceId, pid, host } = resource;
    const lane = this.#lane(service, host, slot, instanceId);
    let incarnation = lane.incarnations.find(
      (one) => one.instanceId === instanceId || (one.instanceId === '' && pid !== undefined && one.pid === pid),
    );
    if (incarnation === undefined) {
      incarnation = newIncarnation(atMs, { instanceId, pid, host, coordinator: '', incarnation: resource.incarnation });
      addIncarnation(lane, incarnation);
    }
    incarnation.instanceId = instanceId;
    incarnation.incarnation ??= resource.incarnation;
    if (incarnation.host === '') incarnation.host = host;
    const found = { lane, incarnation };
    this.#incarnations.set(resource, found);
    return found;
  }

  #coordinator({ resource, startMs }: StoredSpan): CoordinatorHistory {
    const { instanceId, service, host, pid } = resource;
    let coordinator = this.coordinators.get(instanceId);
    if (coordinator === undefined) {
      coordinator = { service, host, pid, firstMs: startMs, breaker: undefined };
      this.coordinators.set(instanceId, coordinator);
      if (this.coordinators.size > MAX_COORDINATORS) {
        this.coordinators.delete(this.coordinators.keys().next().value as string);
      }
    }
    coordinator.firstMs = Math.min(coordinator.firstMs, startMs);
    return coordinator;
  }

  /**
   * A coordinator or a worker that does not say on which machine it is, is on the one that the others say.
   */
  #lane(service: string, host: string, slot: number | undefined, instanceId: string): Lane {
    const places = JSON.stringify([service, slot ?? instanceId]);
    const hosts = this.#hosts.get(places) ?? [];
    let lane = hosts.find((one) => one.host === host || one.host === '' || host === '');
    if (lane === undefined) {
      lane = { service, host, slot, incarnations: [], requests: new RequestSeries() };
      this.#hosts.set(places, [...hosts, lane]);
      this.lanes.add(lane);
      if (this.lanes.size > MAX_LANES) this.#forgetOldest();
    }
    if (lane.host === '') lane.host = host;
    return lane;
  }

  #forgetOldest(): void {
    const [oldest] = this.lanes;
    this.lanes.delete(oldest!);
    for (const [places, lanes] of this.#hosts) {
      const left = lanes.filter((lane) => lane !== oldest);
      if (left.length === 0) this.#hosts.delete(places);
      else this.#hosts.set(places, left);
    }
  }

  /**
   * The coordinator tells about a worker: the span's attributes name it, its resource is the coordinator's.
   */
  #addWorkerSpan(span: StoredSpan, trace: Trace): void {
    const { attributes: all = [] } = decode(span.bytes, Span);
    const slot = number(all, CLUSTER_WORKER_SLOT);
    if (slot === undefined) return;
    const pid = number(all, CLUSTER_WORKER_PID);
    const number_ = number(all, CLUSTER_WORKER_INCARNATION);
    const { service, host, instanceId: coordinator } = span.resource;
    this.#coordinator(span);
    const lane = this.#lane(service, host, slot, '');
    let incarnation = lane.incarnations.findLast(
      (one) =>
        (one.coordinator === '' || one.coordinator === coordinator) &&
        (pid === undefined || one.pid === undefined ? one.incarnation === number_ : one.pid === pid),
    );
    if (incarnation === undefined) {
      incarnation = newIncarnation(span.startMs, { instanceId: '', pid, host, coordinator, incarnation: number_ });
      addIncarnation(lane, incarnation);
    }
    incarnation.coordinator = coordinator;
    incarnation.incarnation ??= number_;
    if (span.name === WORKER_START) {
      incarnation.startMs = span.startMs;
      if (!span.error) incarnation.readyMs = span.endMs;
      lane.incarnations.sort((a, b) => bornAt(a) - bornAt(b));
      return;
    }
    incarnation.exit = {
      // The span ends when the journal of the dead has been finished.
      atMs: span.startMs,
      cause: text(all, EXIT_CAUSE),
      code: number(all, PROCESS_EXIT_CODE),
      signal: text(all, EXIT_SIGNAL),
      planned: flag(all, EXIT_PLANNED),
      spansRecovered: number(all, EXIT_SPANS_RECOVERED),
      requestsInterrupted: number(all, EXIT_REQUESTS_INTERRUPTED),
      traceId: trace.id,
      deathId: text(all, DEATH_ID),
    };
  }
}

function newIncarnation(
  atMs: number,
  known: Pick<IncarnationHistory, 'instanceId' | 'pid' | 'host' | 'coordinator' | 'incarnation'>,
): IncarnationHistory {
  return {
    ...known,
    startMs: undefined,
    readyMs: undefined,
    firstMs: atMs,
    lastMs: atMs,
    spans: 0,
    interrupted: 0,
    exit: undefined,
  };
}

function addIncarnation(lane: Lane, incarnation: IncarnationHistory): void {
  lane.incarnations.push(incarnation);
  lane.incarnations.sort((a, b) => bornAt(a) - bornAt(b));
  if (lane.incarnations.length > MAX_INCARNATIONS) lane.incarnations.shift();
}

const bornAt = ({ startMs, firstMs }: IncarnationHistory) => startMs ?? firstMs;

function servedRequest(
  { startMs, endMs, error, interrupted, name, route, path }: StoredSpan,
  traceId: string,
): ServedRequest {
  const shown = route === '' && path !== '' && !name.includes('/') ? `${name} ${path}` : name;
  return { startMs, endMs, error, interrupted, name: shown, traceId };
}

/**
 * An interrupted span ends at its process's death; the coordinator may know more, and says it in its own
 * span.
 */
function noteInterruption(incarnation: IncarnationHistory, span: StoredSpan, traceId: string): void {
  if (isEntry(span)) incarnation.interrupted++;
  if (incarnation.exit?.planned !== undefined) return;
  const { events = [], attributes: ofSpan = [] } = decode(span.bytes, Span);
  const attributes = events.find((event) => event.name === EXIT_EVENT)?.attributes ?? [];
  incarnation.exit = {
    atMs: span.endMs,
    cause: text(attributes, EXIT_CAUSE) ?? incarnation.exit?.cause,
    code: number(attributes, PROCESS_EXIT_CODE) ?? incarnation.exit?.code,
    signal: text(attributes, EXIT_SIGNAL) ?? incarnation.exit?.signal,
    planned: undefined,
    spansRecovered: undefined,
    requestsInterrupted: undefined,
    traceId: incarnation.exit?.traceId ?? traceId,
    deathId: text(ofSpan, DEATH_ID) ?? incarnation.exit?.deathId,
  };
}

function find(attributes: KeyValue[], key: string) {
  return scalar(attributes.find((attribute) => attribute.key === key)?.value);
}

function number(attributes: KeyValue[], key: string): number | undefined {
  return asNumber(find(attributes, key));
}

function text(attributes: KeyValue[], key: string): string | undefined {
  const value = find(attributes, key);
  return value === undefined || value === '' ? undefined : String(value);
}

function flag(attributes: KeyValue[], key: string): boolean | undefined {
  const value = find(attributes, key);
  return typeof value === 'boolean' ? value : undefined;
}
