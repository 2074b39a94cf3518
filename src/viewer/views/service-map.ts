/**
 * Who calls whom: services by the spans that cross from one to another, databases, queues and services that
 * are not traced by what the calling spans say of them.
 *
 * @module
 */
import { SERVER_ADDRESS, SERVER_PORT } from '../../wire/conventions.js';
import type { MapCallView, MapNodeView, ServiceMapView } from '../api-types/service-map.js';
import { scalar } from '../store/process-resource.js';
import { isEntry, type StoredSpan, type Trace } from '../store/trace.js';
import type { TraceStore } from '../store/trace-store.js';
import { percentile } from './percentile.js';
import { countedFrom, failedEntry, newestOf, windowOf } from './served.js';
import { decodeSpan } from './span-text.js';

/** More can be neither drawn nor read; those that are called most stay. */
const MAX_NODES = 150;

const KIND_CLIENT = 3;
const KIND_PRODUCER = 4;
const KIND_CONSUMER = 5;

type NodeKind = MapNodeView['kind'];

/** What a span talks to that is no traced service. */
interface Peer {
  kind: NodeKind;
  name: string;
  filter: [string, string][];
}

interface Tally {
  durations: number[];
  errors: number;
}

interface Node extends Tally {
  kind: NodeKind;
  name: string;
  workers: Set<unknown>;
}

interface Call extends Tally {
  from: string;
  to: string;
  filter: [string, string][];
}

/** Among the traces held, `window` milliseconds back from the newest. */
export function serviceMap(store: TraceStore, query: URLSearchParams): ServiceMapView {
  const windowMs = windowOf(query);
  const newestMs = newestOf(store);
  const { since, sinceMs } = countedFrom(store, windowMs);
  const map = new MapBuilder();
  let oldestMs = newestMs;
  for (const trace of store.traces.values()) {
    if (trace.endMs < since) continue;
    oldestMs = Math.min(oldestMs, trace.startMs);
    map.add(trace);
  }
  return { ...map.view(windowMs, Math.max(1, (newestMs - oldestMs) / 1000)), sinceMs };
}

class MapBuilder {
  readonly #nodes = new Map<string, Node>();
  readonly #calls = new Map<string, Call>();

  add(trace: Trace): void {
    /** Spans whose work went on in another service, which says more than they do. */
    const answered = new Set<StoredSpan>();
    for (const span of trace.spans.values()) {
      const { service } = span.resource;
      const node = this.#node('service', service);
      node.workers.add(span.resource);
      if (isEntry(span)) count(node, span, failed(span));
      const parent = trace.spans.get(span.parentSpanId);
      if (parent === undefined || parent.resource.service === service || isQueue(span)) continue;
      answered.add(parent);
      const filter: [string, string][] = [
        ['service', parent.resource.service],
        ['service', service],
      ];
      const call = this.#call(id('service', parent.resource.service), id('service', service), filter);
      count(call, parent.kind === KIND_CLIENT ? parent : span, failed(span) || failed(parent));
    }
    for (const span of trace.spans.values()) {
      const peer = answered.has(span) ? undefined : peerOf(span);
      if (peer === undefined) continue;
      const own = id('service', span.resource.service);
      const other = this.#node(peer.kind, peer.name);
      const filter: [string, string][] = [['service', span.resource.service], ...peer.filter];
      if (span.kind === KIND_CONSUMER) {
        count(this.#call(id(peer.kind, peer.name), own, filter), span, failed(span));
        continue;
      }
      count(this.#call(own, id(peer.kind, peer.name), filter), span, failed(span));
      count(other, span, failed(span));
    }
  }

  view(windowMs: number, seconds: number): ServiceMapView {
    const nodes = [...this.#nodes]
      .map(
        ([key, node]): MapNodeView => ({
          id: key,
          kind: node.kind,
          name: node.name,
          processes: node.workers.size,
          ...figures(node, seconds),
        }),
      )
      .sort((a, b) => b.calls - a.calls || (a.id < b.id ? -1 : 1));
    const shown = nodes.slice(0, MAX_NODES);
    const ids = new Set(shown.map((node) => node.id));
    const calls = [...this.#calls.values()]
      .filter(({ from, to }) => ids.has(from) && ids.has(to))
      .map((call): MapCallView => ({ from: call.from, to: call.to, filter: call.filter, ...figures(call, seconds) }))
      .sort((a, b) => b.calls - a.calls);
    return { windowMs, nodes: shown, hidden: nodes.length - shown.length, calls };
  }

  #node(kind: NodeKind, name: string): Node {
    const key = id(kind, name);
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = { kind, name, workers: new Set(), durations: [], errors: 0 };
      this.#nodes.set(key, node);
    }
    return node;
  }

  #call(from: string, to: string, filter: [string, string][]): Call {
    const key = JSON.stringify([from, to]);
    let call = this.#calls.get(key);
    if (call === undefined) {
      call = { from, to, filter, durations: [], errors: 0 };
      this.#calls.set(key, call);
    }
    return call;
  }
}

const id = (kind: NodeKind, name: string) => `${kind} ${name}`;

const failed = (span: StoredSpan) => (isEntry(span) ? failedEntry(span) : span.error || span.interrupted);

function count(tally: Tally, span: StoredSpan, error: boolean): void {
  tally.durations.push(Math.max(0, span.endMs - span.startMs));
  if (error) tally.errors++;
}

function figures({ durations, errors }: Tally, seconds: number) {
  const sorted = Float64Array.from(durations).sort();
  const share = (wanted: number) => (sorted.length === 0 ? 0 : percentile(sorted, wanted));
  return { calls: sorted.length, rate: sorted.length / seconds, errors, p50Ms: share(0.5), p95Ms: share(0.95) };
}

const isQueue = (span: StoredSpan) => peerOf(span)?.kind === 'queue';

/** Reading attributes takes decoding: once for each span. */
const peers = new WeakMap<StoredSpan, Peer | false>();

function peerOf(span: StoredSpan): Peer | undefined {
  const known = peers.get(span);
  if (known !== undefined) return known || undefined;
  const mayHave =
    span.kind === KIND_CLIENT ||
    span.kind === KIND_PRODUCER ||
    (span.kind === KIND_CONSUMER && span.bytes.includes('messaging.system')) ||
    (!isEntry(span) && span.bytes.includes('db.system'));
  if (!mayHave) return undefined;
  const peer = readPeer(span);
  peers.set(span, peer ?? false);
  return peer;
}

/** By the attributes of the semantic conventions, the stable ones and those before them. */
function readPeer(span: StoredSpan): Peer | undefined {
  const { attributes = [] } = decodeSpan(span);
  const first = (...keys: string[]): [string, string] | undefined => {
    for (const key of keys) {
      const value = scalar(attributes.find((attribute) => attribute.key === key)?.value);
      if (value !== undefined && value !== '') return [key, String(value)];
    }
    return undefined;
  };
  const system = first('db.system.name', 'db.system');
  if (system !== undefined) {
    return named('database', system, first('db.namespace', 'db.name', SERVER_ADDRESS, 'net.peer.name'));
  }
  const messaging = first('messaging.system');
  if (messaging !== undefined) {
    return named('queue', messaging, first('messaging.destination.name', 'messaging.destination'));
  }
  if (span.kind !== KIND_CLIENT) return undefined;
  const service = first('peer.service');
  if (service !== undefined) return named('external', service);
  const address = first(SERVER_ADDRESS, 'net.peer.name');
  if (address === undefined) return undefined;
  const port = first(SERVER_PORT, 'net.peer.port');
  const [, host] = address;
  const name = port === undefined || host.includes(':') ? host : `${host}:${port[1]}`;
  return { kind: 'external', name, filter: port === undefined ? [address] : [address, port] };
}

function named(kind: NodeKind, what: [string, string], which?: [string, string]): Peer {
  if (which === undefined) return { kind, name: what[1], filter: [what] };
  return { kind, name: `${what[1]} ${which[1]}`, filter: [what, which] };
}
