import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { fromJson, type Signal } from './decode.js';
import type { Listener, ReceiveRequest } from './listener.js';

const signals: Record<string, Signal> = {
  '/v1/traces': 'traces',
  '/v1/logs': 'logs',
  '/v1/metrics': 'metrics',
};

/** OTLP/HTTP with protobuf or JSON bodies on `port` of the loopback interface. */
export async function listenHttp(
  port: number,
  receive: ReceiveRequest,
  maxBytes: number,
  takes: (signal: Signal) => boolean,
): Promise<Listener> {
  const server = createServer((request, response) => {
    answer(request, response, receive, maxBytes, takes).catch((error) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  receive: ReceiveRequest,
  maxBytes: number,
  takes: (signal: Signal) => boolean,
): Promise<void> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    return; // The client went away.
  }
  const signal = signals[request.url ?? ''];
  if (request.method !== 'POST' || !signal || !takes(signal)) return refuse(response, 404);
  const isJson = request.headers['content-type'] === 'application/json';
  if (!isJson && request.headers['content-type'] !== 'application/x-protobuf') return refuse(response, 415);
  const sent = Buffer.concat(chunks);
  const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
  const body = isJson ? fromJson(signal, plain) : plain;
  if (body.length > maxBytes) return refuse(response, 413);
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));

  const outcome = await receive({ signal, protocol: 'http', headers, body });
  response.setHeader('content-type', isJson ? 'application/json' : 'application/x-protobuf');
  if ('response' in outcome) {
    response.end(isJson ? '{}' : outcome.response);
    return;
  }
  const { http, retryAfterMs, body: answered } = outcome.failure;
  response.statusCode = http;
  if (retryAfterMs !== undefined) response.setHeader('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  if (answered === 'page') {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>Log in</title>');
  } else if (answered === 'trickle') {
    const trickle = setInterval(() => response.write(Buffer.alloc(1)), 100);
    response.once('close', () => clearInterval(trickle));
  } else {
    response.end();
  }
}

function refuse(response: ServerResponse, code: number): void {
  response.statusCode = code;
  response.end();
}
