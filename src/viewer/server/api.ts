import type { ServerResponse } from 'node:http';
import type { StateView } from '../api-types.js';
import type { TraceStore } from '../store/trace-store.js';
import type { WorkerMetrics } from '../store/worker-metrics.js';

/** The page's JSON API, read-only. */
export class Api {
  readonly #store: TraceStore;
  readonly #metrics: WorkerMetrics;
  readonly #state: () => StateView;

  constructor(store: TraceStore, metrics: WorkerMetrics, state: () => StateView) {
    this.#store = store;
    this.#metrics = metrics;
    this.#state = state;
  }

  serve(url: URL, response: ServerResponse): void {
    const result = this.#answer(url);
    const body = JSON.stringify(result ?? { error: `nothing at ${url.pathname}` });
    response.writeHead(result === undefined ? 404 : 200, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    response.end(body);
  }

  #answer(url: URL): unknown {
    switch (url.pathname) {
      case '/api/state':
        return this.#state();
      default:
        return undefined;
    }
  }
}
