import type { IncomingMessage, ServerResponse } from 'node:http';
import { version } from '../../own-files.js';
import type { StateView } from '../api-types/state.js';
import type { TraceDatabase } from '../database/trace-database.js';
import type { ViewerAddresses } from '../start.js';
import type { ClusterHistory } from '../store/cluster-history.js';
import type { LogStore } from '../store/log-store.js';
import type { MetricStore } from '../store/metric-store.js';
import type { TraceStore } from '../store/trace-store.js';
import { type Access, queryToken, refuse, tokenCookie } from './access.js';
import { ViewerApi } from './api.js';
import type { Ingest } from './ingest.js';
import { Live } from './live.js';
import { isOtlpPath, serveOtlp } from './otlp-http.js';
import { pageFile } from './page-files.js';
import { SECURITY_HEADERS } from './security-headers.js';

export interface RequestHandler {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Known once the sockets are bound. */
  addresses: ViewerAddresses;
  close(): void;
}

interface Parts {
  /** Path under which a proxy serves it; '' is none. */
  prefix: string;
  store: TraceStore;
  database: TraceDatabase | undefined;
  logs: LogStore;
  history: ClusterHistory;
  metrics: MetricStore;
  ingest: Ingest;
  access: Access;
  /** Where the journal directories of this machine's services are. */
  journals: string;
  /** Forgets all that has been received. */
  clear: () => Promise<void>;
}

/** Everything that the HTTP port serves: page, API, live events and OTLP/HTTP. */
export function createRequestHandler({
  prefix,
  store,
  database,
  logs,
  history,
  metrics,
  ingest,
  access,
  journals,
  clear,
}: Parts): RequestHandler {
  let startedMs = Date.now();
  const state = (): StateView => ({
    version,
    startedMs,
    nowMs: Date.now(),
    file: database !== undefined,
    otlpGrpcUrl: handler.addresses.otlpGrpcUrl,
    otlpHttpUrl: handler.addresses.otlpHttpUrl,
    traces: store.traces.size,
    spans: store.spanCount,
    bytes: store.byteCount,
    limits: store.limits,
    ...store.counters,
    refused: ingest.refused,
    unwritten: database?.unwritten,
    services: store.services,
  });
  const live = new Live(() => store.version + logs.version + metrics.version + history.version + ingest.refused, state);
  const api = new ViewerApi({ store, database, logs, history, metrics, state, journals });

  const handler: RequestHandler = {
    addresses: { url: '', otlpGrpcUrl: '', otlpHttpUrl: '' },
    handle(request, response) {
      serve(request, response).catch((error: Error) => {
        if (response.destroyed) return;
        if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
        response.end(`The viewer failed: ${error.message}\n`);
      });
    },
    close: () => live.close(),
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    const refusal = refuse(request, access);
    if (refusal !== undefined) {
      response.writeHead(refusal.status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end(`${refusal.reason}\n`);
      return;
    }
    const target = request.url ?? '/';
    if (!target.startsWith('/') || !URL.canParse(target, 'http://viewer')) {
      response.writeHead(400, { connection: 'close' }).end();
      return;
    }
    const url = new URL(target, 'http://viewer');
    if (prefix !== '' && `${url.pathname}/`.startsWith(`${prefix}/`)) {
      url.pathname = url.pathname.slice(prefix.length) || '/';
    }
    if (isOtlpPath(url.pathname)) return serveOtlp(request, response, url.pathname, ingest);
    if (url.pathname === '/api/clear' && request.method === 'POST') {
      await clear();
      startedMs = Date.now();
      response.writeHead(204).end();
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD', connection: 'close' }).end();
      return;
    }
    if (url.pathname === '/api/live') return live.add(response);
    if (url.pathname.startsWith('/api/')) return api.serve(url, request.headers['if-none-match'], response);

    if (access.token !== undefined && queryToken(request) !== undefined) {
      url.searchParams.delete('token');
      response
        .writeHead(303, {
          location: `${prefix}${url.pathname}${url.search}`,
          'set-cookie': tokenCookie(access.token, prefix),
        })
        .end();
      return;
    }
    const { content, type } = pageFile(url.pathname, prefix);
    response.writeHead(200, { 'content-type': type, 'content-length': content.length, 'cache-control': 'no-cache' });
    response.end(content);
  }

  return handler;
}
