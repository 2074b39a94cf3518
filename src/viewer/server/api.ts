import type { ServerResponse } from 'node:http';
import type { StateView } from '../api-types/state.js';
import type { TraceDatabase } from '../database/trace-database.js';
import type { ClusterHistory } from '../store/cluster-history.js';
import type { LogStore } from '../store/log-store.js';
import type { MetricStore } from '../store/metric-store.js';
import type { Trace } from '../store/trace.js';
import type { TraceStore } from '../store/trace-store.js';
import { clusterView } from '../views/cluster-view.js';
import { completions } from '../views/completions.js';
import { deathRows, deathView, newDeaths } from '../views/death-view.js';
import { differences } from '../views/differences.js';
import { logList, logRow } from '../views/log-list.js';
import { instrumentsView, metricView } from '../views/metrics-view.js';
import { routesView } from '../views/routes-view.js';
import { serviceMap } from '../views/service-map.js';
import { TraceLists } from '../views/trace-list.js';
import { linkedFrom, searchTrace, spanView, traceAsOtlp, traceView } from '../views/trace-view.js';

interface Sources {
  store: TraceStore;
  /** Where all traces are, when there is one: lists come from it, and traces that memory has not whole. */
  database: TraceDatabase | undefined;
  logs: LogStore;
  history: ClusterHistory;
  metrics: MetricStore;
  state(this: void): StateView;
  journals: string;
}

/** The page's JSON API, read-only. */
export class ViewerApi {
  readonly #store: TraceStore;
  readonly #database: TraceDatabase | undefined;
  readonly #lists: TraceLists;
  readonly #logs: LogStore;
  readonly #history: ClusterHistory;
  readonly #metrics: MetricStore;
  readonly #state: () => StateView;
  readonly #journals: string;

  constructor({ store, database, logs, history, metrics, state, journals }: Sources) {
    this.#store = store;
    this.#database = database;
    this.#logs = logs;
    this.#lists = new TraceLists(store);
    this.#history = history;
    this.#metrics = metrics;
    this.#state = state;
    this.#journals = journals;
  }

  /** @param known the `etag` of what the page has already */
  async serve(url: URL, known: string | undefined, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const path = url.pathname.slice('/api/'.length).split('/');
    const [what, id, ...part] = path;
    const trace = what === 'traces' && id !== undefined ? await this.#traceOf(id) : undefined;
    // Of a whole trace, which may be large and is asked for again whenever anything has come.
    if (trace !== undefined && part.length === 0) {
      const etag = `"${trace.startMs}-${trace.spans.size}-${trace.bytes}"`;
      response.setHeader('etag', etag);
      if (etag === known) {
        response.writeHead(304, { 'cache-control': 'no-store' }).end();
        return;
      }
    }
    const result =
      what === 'traces' && id !== undefined
        ? trace && (await this.#trace(trace, part, url.searchParams))
        : await this.#answer(path, url.searchParams, gone.signal);
    if (response.destroyed) return;
    const body = JSON.stringify(result ?? { error: `nothing at ${url.pathname}` });
    response.writeHead(result === undefined ? 404 : 200, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    response.end(body);
  }

  async #traceOf(id: string): Promise<Trace | undefined> {
    const known = this.#store.traces.get(id);
    return this.#database === undefined ? known : this.#database.trace(id, known);
  }

  /**
   * @param gone aborted when nobody waits for it any longer @returns undefined when there is no such thing
   */
  #answer([what, ...rest]: string[], query: URLSearchParams, gone: AbortSignal): unknown {
    if (what === 'deaths' && rest.length === 1) return deathView(this.#journals, rest[0]!);
    if (rest.length > 0) return undefined;
    switch (what) {
      case 'state':
        return this.#state();
      case 'traces':
        return this.#database === undefined ? this.#lists.view(query) : this.#database.list(query, gone);
      case 'logs':
        return logList(this.#logs, query);
      case 'deaths':
        return deathRows(this.#journals);
      case 'new-deaths':
        return newDeaths(this.#journals, query);
      case 'complete':
        return completions(this.#store, query);
      case 'cluster':
        return clusterView(this.#history, this.#metrics, query);
      case 'metrics':
        return instrumentsView(this.#metrics);
      case 'metric':
        return metricView(this.#metrics, query);
      case 'differences':
        return differences(this.#store, query);
      case 'map':
        return serviceMap(this.#store, query);
      case 'routes':
        return routesView(this.#store, query);
      default:
        return undefined;
    }
  }

  #trace(trace: Trace, [part, spanId]: string[], query: URLSearchParams): unknown {
    switch (part) {
      case undefined:
        return traceView(trace);
      case 'spans': {
        const span = trace.spans.get(spanId ?? '');
        return span && spanView(span);
      }
      case 'logs':
        return this.#logs.ofTrace(trace.id).map(logRow);
      case 'linked':
        return this.#database?.linkedFrom(trace.id) ?? linkedFrom(this.#store.traces.values(), trace.id);
      case 'search':
        return searchTrace(trace, query.get('q') ?? '');
      case 'otlp':
        return traceAsOtlp(trace, query.get('span') ?? undefined, query.has('subtree'));
      default:
        return undefined;
    }
  }
}
