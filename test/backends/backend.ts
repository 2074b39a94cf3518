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
}

/** Its limit for one request, in bytes: far below what the shipper sends by default. */
export const LIMIT_BYTES = 1024 * 1024;

export async function backend(
  t: TestContext,
  kind: 'otelcol' | 'nginx',
  program: string,
  sink: OtlpEndpoint,
): Promise<Backend> {
  const dir = await tempDir(t);
  const [grpc, http] = [await freePort(), await freePort()];
  const config = join(dir, 'config');
  writeFileSync(config, kind === 'otelcol' ? collector(grpc, http, sink) : nginx(dir, grpc, http, sink));
  const args = kind === 'otelcol' ? [`--config=file:${config}`] : ['-c', config, '-e', join(dir, 'error.log')];
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

/** Without a queue: what it has taken is with the endpoint behind it. */
function collector(grpc: number, http: number, sink: OtlpEndpoint): string {
  return `
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
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [otlphttp] }
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
