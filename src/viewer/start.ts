/**
 * The viewer: an OTLP receiver, a bounded store, and a web page that shows what is in it.
 *
 * @module
 */
import { createServer } from 'node:http';
import type { ViewerConfig } from '../config/types.js';
import { ForktraceError } from '../errors.js';
import { privateParent } from '../process/private-directory.js';
import { hasSqlite } from './database/sqlite.js';
import { TraceDatabase } from './database/trace-database.js';
import { openKeptTraces } from './kept-traces.js';
import { type Access, isLoopback } from './server/access.js';
import { createIngest } from './server/ingest.js';
import { firstFreePort, listenOn } from './server/listen.js';
import { createGrpcReceiver } from './server/otlp-grpc.js';
import { createRequestHandler } from './server/request-handler.js';
import { ClusterHistory } from './store/cluster-history.js';
import { LogStore } from './store/log-store.js';
import { MetricStore } from './store/metric-store.js';
import { type StoreLimits, TraceStore } from './store/trace-store.js';
import type { BlockedWorker } from './viewer-messages.js';

/** All optional. */
export interface ViewerOptions extends ViewerConfig {
  /** Interface to listen on; anything but loopback needs a token. @default '127.0.0.1' */
  host?: string;
  /** Asked of page, API and OTLP clients. @default FORKTRACE_VIEWER_TOKEN, else none */
  token?: string;
  /** Path under which a reverse proxy serves the page, with or without taking it off. @default none */
  prefix?: string;
  /** What is held in memory. */
  limits?: Partial<StoreLimits>;
  /** Where the services' journal directories are, for the page of a death. @default that of this user */
  journals?: string;
  /**
   * Keeps traces in this file, and over a restart: of days in a database with Node.js 22.13 or later, else
   * what memory holds. @default none
   */
  file?: string;
  /** Size of that database beyond which the oldest traces go, in bytes. @default 16e9 */
  fileMaxBytes?: number;
}

export interface ViewerAddresses {
  /** The page. */
  url: string;
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT` with protocol grpc. */
  otlpGrpcUrl: string;
  /** The base: `/v1/traces` and `/v1/metrics` are below it. */
  otlpHttpUrl: string;
}

export interface Viewer extends ViewerAddresses {
  readonly store: TraceStore;
  /** Tells which workers of this machine are blocked now, all of them. */
  blocked(workers: readonly BlockedWorker[]): void;
  close(): Promise<void>;
}

/**
 * Longer than exporters wait between two exports: Node's own 5 s are the SDK's interval, too, and a
 * connection that is closed while a request is on its way costs that request.
 */
const KEEP_ALIVE_MS = 75_000;
const DEFAULT_FILE_MAX_BYTES = 16e9;
/** The database takes memory of its own, and lists need none of the store's. */
const BESIDE_DATABASE = { maxBytes: 24 * 1024 * 1024 };
const DEFAULT_HOST = '127.0.0.1';
/** The ports that OTLP registers. */
const DEFAULT_GRPC_PORT = 4317;
const DEFAULT_HTTP_PORT = 4318;

/**
 * Starts the viewer in this process. Ports that are taken are moved on from, so use the returned addresses.
 *
 * @throws ForktraceError FORKTRACE_VIEWER_TOKEN, FORKTRACE_VIEWER_PORT
 */
export async function startViewer(options: ViewerOptions = {}): Promise<Viewer> {
  const host = options.host ?? DEFAULT_HOST;
  const access: Access = { host, token: options.token ?? (process.env.FORKTRACE_VIEWER_TOKEN || undefined) };
  if (!isLoopback(host) && access.token === undefined) throw new ForktraceError('FORKTRACE_VIEWER_TOKEN', [host]);

  const prefix = cleanPrefix(options.prefix ?? '');
  const kept = options.file !== undefined && hasSqlite;
  const store = new TraceStore({ ...(kept && BESIDE_DATABASE), ...options.limits });
  const history = new ClusterHistory();
  store.onSpan((span, trace) => history.add(span, trace));
  const metrics = new MetricStore();
  const logs = new LogStore();
  const file =
    options.file === undefined
      ? undefined
      : await openKeptTraces(options.file, options.fileMaxBytes ?? DEFAULT_FILE_MAX_BYTES, store);
  const ingest = createIngest(store, metrics, logs, file && ((request) => file.append(request)));

  const grpc = await createGrpcReceiver(ingest, access.token);
  const clear = async () => {
    store.clear();
    logs.clear();
    metrics.clear();
    history.clear();
    await file?.clear();
  };
  const database = file instanceof TraceDatabase ? file : undefined;
  const journals = options.journals ?? (process.env.FORKTRACE_JOURNAL_DIR || privateParent().dir);
  const handler = createRequestHandler({
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
  });
  const server = createServer(
    { requestTimeout: 60_000, headersTimeout: 10_000, keepAliveTimeout: KEEP_ALIVE_MS },
    handler.handle,
  );
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });

  try {
    const grpcPort = await firstFreePort(host, options.grpcPort ?? DEFAULT_GRPC_PORT, (port) => grpc.bind(host, port));
    const httpPort = await firstFreePort(host, options.httpPort ?? DEFAULT_HTTP_PORT, (port) =>
      listenOn(server, host, port),
    );
    const urlHost = host.includes(':') ? `[${host}]` : host;
    const otlpHttpUrl = `http://${urlHost}:${httpPort}`;
    const query = access.token === undefined ? '' : `?token=${encodeURIComponent(access.token)}`;
    const addresses: ViewerAddresses = {
      url: `${otlpHttpUrl}${prefix}/${query}`,
      otlpGrpcUrl: `http://${urlHost}:${grpcPort}`,
      otlpHttpUrl,
    };
    handler.addresses = addresses;
    return {
      ...addresses,
      store,
      blocked: (workers) => history.setBlocked(workers),
      async close() {
        handler.close();
        grpc.close();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        await file?.close();
      },
    };
  } catch (error) {
    handler.close();
    grpc.close();
    server.close();
    await file?.close();
    throw error;
  }
}

/** `/a/b` of `a/b/`; '' of `/`. */
function cleanPrefix(prefix: string): string {
  const path = new URL(`/${prefix}`.replace(/\/+/g, '/'), 'http://viewer').pathname;
  return path.replace(/\/$/, '');
}
