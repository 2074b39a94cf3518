/**
 * A traced server on a loopback port, its spans in memory, and a client.
 *
 * @module
 */
import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type RequestListener, type RequestOptions } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { context, propagation } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { HttpTracingConfig } from '#src/config/types.js';
import { type TraceableServer, traceServer } from '#src/http/trace-server.js';
import { madeOfW3cOnly, registeredPropagator } from '#src/propagation/w3c-only.js';

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const propagator = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});
madeOfW3cOnly(propagator);
propagation.setGlobalPropagator(propagator);
registeredPropagator(propagator);

export interface TestResponse {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface TracedServer {
  server: TraceableServer;
  port: number;
  exporter: InMemorySpanExporter;
  provider: BasicTracerProvider;
  request(path: string, options?: RequestOptions & { body?: string }): Promise<TestResponse>;
  /** Resolves with the spans, once there are `count`. */
  spans(count?: number): Promise<ReadableSpan[]>;
  /** Resolves with the one span of the one request. */
  span(): Promise<ReadableSpan>;
  /** A raw connection, closed with the test. */
  connect(): Promise<net.Socket>;
}

/** Resolves when `condition` holds; rejects after `timeoutMs`. */
export async function until(condition: () => boolean, what: string, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not in ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export async function listen(
  t: TestContext,
  app: RequestListener | TraceableServer,
  tracing: HttpTracingConfig = {},
): Promise<TracedServer> {
  const server = typeof app === 'function' ? http.createServer(app) : app;
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  traceServer(server, { tracerProvider: provider, ...tracing });
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const { port } = server.address() as AddressInfo;
  const sockets = new Set<net.Socket>();
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    (server as http.Server).closeAllConnections?.();
    server.close();
  });
  const spans = async (count = 1) => {
    await until(() => exporter.getFinishedSpans().length >= count, `${count} spans`);
    return exporter.getFinishedSpans();
  };
  return {
    server,
    port,
    exporter,
    provider,
    request: (path, options) => request(port, path, options),
    spans,
    async span() {
      const [span, ...more] = await spans(1);
      if (more.length > 0) throw new Error(`${more.length} spans too many: ${more.map((each) => each.name)}`);
      return span!;
    },
    async connect() {
      const socket = net.connect(port, '127.0.0.1');
      sockets.add(socket);
      socket.on('error', () => {});
      await once(socket, 'connect');
      return socket;
    },
  };
}

export function request(
  port: number,
  path: string,
  { body, ...options }: RequestOptions & { body?: string } = {},
): Promise<TestResponse> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request({ agent: false, host: '127.0.0.1', port, path, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** What a socket receives until it holds `text`. */
export async function readUntil(socket: net.Socket, text: string): Promise<string> {
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  await until(() => received.includes(text), `${JSON.stringify(text)} in ${JSON.stringify(received)}`);
  return received;
}
