/**
 * A real program in front of a test's own endpoint: it takes OTLP over gRPC and HTTP, and hands on what it
 * has taken.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

export interface Backend {
  readonly grpcUrl: string;
  readonly httpUrl: string;
  start(): Promise<void>;
  /** As a crash would. */
  kill(): Promise<void>;
  /** What it has stored itself, by its own API; undefined where it stores nothing. */
  stored?(service: string): Promise<StoredSpan[]>;
}

export interface StoredSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
}

/** Its limit for one request, in bytes: far below what the shipper sends by default. */
export const LIMIT_BYTES = 1024 * 1024;

export async function backend(
  t: TestContext,
  kind: 'otelcol' | 'jaeger' | 'nginx',
  program: string,
  sink: OtlpEndpoint,
): Promise<Backend> {
  const dir = await tempDir(t);
  const [grpc, http, api] = [await freePort(), await freePort(), await freePort()];
  const config = join(dir, 'config');
  const jaeger = kind === 'jaeger' ? await freePort() : undefined;
  writeFileSync(
    config,
    kind === 'nginx'
      ? nginx(dir, grpc, http, sink)
      : collector(grpc, http, sink, jaeger === undefined ? undefined : { api, grpc: jaeger }),
  );
  const args = kind === 'nginx' ? ['-c', config, '-e', join(dir, 'error.log')] : [`--config=file:${config}`];
  let child: ChildProcess | undefined;
  const kill = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  t.after(kill);
  return {
    grpcUrl: `http://127.0.0.1:${grpc}`,
    httpUrl: `http://127.0.0.1:${http}`,
    kill,
    ...(kind === 'jaeger' && { stored: (service: string) => storedIn(`http://127.0.0.1:${api}`, service) }),
    async start() {
      mkdirSync(join(dir, 'temp'), { recursive: true });
      const started = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      child = started;
      let errors = '';
      started.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors = (errors + text).slice(-4000);
      });
      const died = () => started.exitCode !== null;
      await waitFor(async () => died() || ((await listens(grpc)) && (await listens(http))), kind, 30_000);
      if (died()) throw new Error(`${program} ended with ${started.exitCode}: ${errors}`);
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** By Jaeger's API for its own page, whose trees have all of a span but its scope. */
async function storedIn(url: string, service: string): Promise<StoredSpan[]> {
  const answer = await fetch(`${url}/api/traces?service=${service}&limit=100000&lookback=1h`);
  const { data } = (await answer.json()) as { data: JaegerTrace[] | null };
  return (data ?? []).flatMap(({ spans, processes }) =>
    spans.map(({ operationName, traceID, spanID, references, tags, processID }) => ({
      name: operationName,
      traceId: traceID,
      spanId: spanID,
      parentSpanId: references.find(({ refType }) => refType === 'CHILD_OF')?.spanID ?? '',
      attributes: valuesOf(tags),
      resource: { ...valuesOf(processes[processID]!.tags), 'service.name': processes[processID]!.serviceName },
    })),
  );
}

type JaegerTags = { key: string; value: unknown }[];

interface JaegerTrace {
  spans: {
    operationName: string;
    traceID: string;
    spanID: string;
    references: { refType: string; spanID: string }[];
    tags: JaegerTags;
    processID: string;
  }[];
  processes: Record<string, { serviceName: string; tags: JaegerTags }>;
}

const valuesOf = (tags: JaegerTags) => Object.fromEntries(tags.map(({ key, value }) => [key, value]));

/**
 * Without a queue: what it has taken is with the endpoint behind it. Jaeger is a Collector, too, with a store
 * of its own beside that.
 */
function collector(grpc: number, http: number, sink: OtlpEndpoint, jaeger?: { api: number; grpc: number }): string {
  const store =
    jaeger &&
    `
extensions:
  jaeger_storage: { backends: { memory: { memory: { max_traces: 100000 } } } }
  jaeger_query:
    storage: { traces: memory }
    http: { endpoint: "127.0.0.1:${jaeger.api}" }
    grpc: { endpoint: "127.0.0.1:${jaeger.grpc}" }
`;
  return `${store ?? ''}
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${grpc}", max_recv_msg_size_mib: ${LIMIT_BYTES / 2 ** 20} }
      http: { endpoint: "127.0.0.1:${http}", max_request_body_size: ${LIMIT_BYTES} }
exporters:
  otlphttp:
    endpoint: ${sink.httpBaseUrl}
    compression: none
    sending_queue: { enabled: false }
${jaeger ? '  jaeger_storage_exporter: { trace_storage: memory, queue: { enabled: false } }' : ''}
service:
  ${jaeger ? 'extensions: [jaeger_storage, jaeger_query]' : ''}
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [${jaeger ? 'jaeger_storage_exporter, ' : ''}otlphttp] }
`;
}

function nginx(dir: string, grpc: number, http: number, sink: OtlpEndpoint): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${dir}/temp/${name};`,
  );
  return `
daemon off;
master_process off;
pid ${dir}/pid;
events {}
http {
  access_log off;
  client_max_body_size ${LIMIT_BYTES};
  ${temp.join('\n  ')}
  server { listen 127.0.0.1:${http}; location / { proxy_pass ${sink.httpBaseUrl}; } }
  server { listen 127.0.0.1:${grpc} http2; location / { grpc_pass ${sink.grpcUrl.replace('http:', 'grpc:')}; } }
}
`;
}
