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
  WORKER_EXIT,
  WORKER_START,
} from '../../wire/conventions.js';
import { decode } from '../../wire/decode.js';
import { Span } from '../../wire/otlp.js';
import type { ClusterEventView } from '../api-types/cluster.js';
import type { BlockedWorker } from '../viewer-messages.js';
import { attributeText, type Exit, exitOfInterruptedSpan, exitOfWorkerSpan } from './process-end.js';
import { isOfThisHost } from './process-gone.js';
import { attributeNumber, type ProcessResource } from './process-resource.js';
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
      const state = attributeText(decode(span.bytes, Span).attributes ?? [], CLUSTER_BREAKER_STATE) ?? '';
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
    if (span.interrupted) {
      if (isEntry(span)) incarnation.interrupted++;
      incarnation.exit = exitOfInterruptedSpan(incarnation.exit, span, trace.id);
    }
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
    const slot = attributeNumber(all, CLUSTER_WORKER_SLOT);
    if (slot === undefined) return;
    const pid = attributeNumber(all, CLUSTER_WORKER_PID);
    const number_ = attributeNumber(all, CLUSTER_WORKER_INCARNATION);
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
    incarnation.exit = exitOfWorkerSpan(span, all, trace.id);
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
