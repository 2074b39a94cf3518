/**
 * Workers and what became of them, learnt from the spans that pass: resources name the slot and the incarnation, SERVER spans
 * are its requests, and the coordinator's own spans tell of forks, exits, reloads and the shutdown.
 * It is kept beside the traces, so that a kill is still to be seen when its minute's traces are long gone.
 *
 * @module
 */

import {
  CLUSTER_RELOAD,
  CLUSTER_SCALE,
  CLUSTER_SHUTDOWN,
  CLUSTER_START,
  CLUSTER_WORKER_INCARNATION,
  CLUSTER_WORKER_PID,
  CLUSTER_WORKER_SLOT,
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
import { asNumber, type ProcessResource, scalar } from './process-resource.js';
import { isEntry, type StoredSpan, type Trace } from './trace.js';

export interface IncarnationHistory {
  instanceId: string;
  incarnation: number | undefined;
  pid: number | undefined;
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
  code: number | undefined;
  signal: string | undefined;
  planned: boolean | undefined;
  spansRecovered: number | undefined;
  requestsInterrupted: number | undefined;
  traceId: string;
}

export interface ServedRequest {
  startMs: number;
  endMs: number;
  error: boolean;
  interrupted: boolean;
  name: string;
  traceId: string;
}

/** One slot of one service, or one process in no slot. */
export interface Lane {
  service: string;
  slot: number | undefined;
  /** By start. */
  incarnations: IncarnationHistory[];
  /** A ring: `next` is the oldest once it is full. */
  requests: ServedRequest[];
  next: number;
}

export interface LifecycleEvent {
  service: string;
  name: string;
  startMs: number;
  endMs: number;
  error: boolean;
  traceId: string;
}

const MAX_LANES = 256;
const MAX_INCARNATIONS = 64;
const MAX_REQUESTS = 4096;
const MAX_EVENTS = 512;

/** Spans of the coordinator that concern every lane. */
const CLUSTER_EVENTS = new Set<string>([CLUSTER_RELOAD, CLUSTER_SHUTDOWN, CLUSTER_START, CLUSTER_SCALE]);

export class ClusterHistory {
  readonly lanes = new Map<string, Lane>();
  readonly events: LifecycleEvent[] = [];
  readonly #incarnations = new WeakMap<ProcessResource, { lane: Lane; incarnation: IncarnationHistory }>();

  add(span: StoredSpan, trace: Trace): void {
    if (span.name === WORKER_START || span.name === WORKER_EXIT) {
      this.#addWorkerSpan(span, trace);
      return;
    }
    if (CLUSTER_EVENTS.has(span.name)) {
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
    if (isEntry(span)) addRequest(lane, span, trace.id);
    if (span.interrupted) noteInterruption(incarnation, span, trace.id);
  }

  #of(resource: ProcessResource, atMs: number): { lane: Lane; incarnation: IncarnationHistory } {
    const known = this.#incarnations.get(resource);
    if (known !== undefined) return known;
    const { service, slot, instanceId, pid } = resource;
    const lane = this.#lane(service, slot, instanceId);
    let incarnation = lane.incarnations.find(
      (one) => one.instanceId === instanceId || (one.instanceId === '' && pid !== undefined && one.pid === pid),
    );
    if (incarnation === undefined) {
      incarnation = newIncarnation(atMs, { instanceId, pid, incarnation: resource.incarnation });
      addIncarnation(lane, incarnation);
    }
    incarnation.instanceId = instanceId;
    incarnation.incarnation ??= resource.incarnation;
    const found = { lane, incarnation };
    this.#incarnations.set(resource, found);
    return found;
  }

  #lane(service: string, slot: number | undefined, instanceId: string): Lane {
    const key = JSON.stringify([service, slot ?? instanceId]);
    let lane = this.lanes.get(key);
    if (lane === undefined) {
      lane = { service, slot, incarnations: [], requests: [], next: 0 };
      this.lanes.set(key, lane);
      if (this.lanes.size > MAX_LANES) this.lanes.delete(this.lanes.keys().next().value as string);
    }
    return lane;
  }

  /** The coordinator tells about a worker: the span's attributes name it, its resource is the coordinator's. */
  #addWorkerSpan(span: StoredSpan, trace: Trace): void {
    const { attributes: all = [] } = decode(span.bytes, Span);
    const slot = number(all, CLUSTER_WORKER_SLOT);
    if (slot === undefined) return;
    const pid = number(all, CLUSTER_WORKER_PID);
    const number_ = number(all, CLUSTER_WORKER_INCARNATION);
    const lane = this.#lane(span.resource.service, slot, '');
    let incarnation = lane.incarnations.findLast(
      (one) => (pid !== undefined && one.pid === pid) || (number_ !== undefined && one.incarnation === number_),
    );
    if (incarnation === undefined) {
      incarnation = newIncarnation(span.startMs, { instanceId: '', pid, incarnation: number_ });
      addIncarnation(lane, incarnation);
    }
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
      code: number(all, PROCESS_EXIT_CODE),
      signal: text(all, EXIT_SIGNAL),
      planned: flag(all, EXIT_PLANNED),
      spansRecovered: number(all, EXIT_SPANS_RECOVERED),
      requestsInterrupted: number(all, EXIT_REQUESTS_INTERRUPTED),
      traceId: trace.id,
    };
  }
}

function newIncarnation(
  atMs: number,
  known: Pick<IncarnationHistory, 'instanceId' | 'pid' | 'incarnation'>,
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

function addRequest(
  lane: Lane,
  { startMs, endMs, error, interrupted, name, route, path }: StoredSpan,
  traceId: string,
): void {
  const shown = route === '' && path !== '' && !name.includes('/') ? `${name} ${path}` : name;
  const request: ServedRequest = { startMs, endMs, error, interrupted, name: shown, traceId };
  if (lane.requests.length < MAX_REQUESTS) lane.requests.push(request);
  else {
    lane.requests[lane.next] = request;
    lane.next = (lane.next + 1) % MAX_REQUESTS;
  }
}

/** An interrupted span ends at its process's death; the coordinator may know more, and says it in its own span. */
function noteInterruption(incarnation: IncarnationHistory, span: StoredSpan, traceId: string): void {
  if (isEntry(span)) incarnation.interrupted++;
  if (incarnation.exit?.planned !== undefined) return;
  const { events = [] } = decode(span.bytes, Span);
  const attributes = events.find((event) => event.name === EXIT_EVENT)?.attributes ?? [];
  incarnation.exit = {
    atMs: span.endMs,
    code: number(attributes, PROCESS_EXIT_CODE) ?? incarnation.exit?.code,
    signal: text(attributes, EXIT_SIGNAL) ?? incarnation.exit?.signal,
    planned: undefined,
    spansRecovered: undefined,
    requestsInterrupted: undefined,
    traceId: incarnation.exit?.traceId ?? traceId,
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
