/**
 * OTLP over HTTP with protobuf or JSON, on Node's own client: OpenTelemetry's transport keeps an answer's
 * text, the delay that an endpoint asks for and all but a few status codes to itself.
 *
 * @module
 */
import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request as plainRequest,
  type RequestOptions,
} from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { isIP } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { promisify } from 'node:util';
import {
  brotliDecompress,
  gzip as gzipWithCallback,
  type InputType,
  inflateRaw,
  unzip,
  type ZlibOptions,
} from 'node:zlib';
import type { ResolvedExport } from '../config/resolved.js';
import { version } from '../own-files.js';
import { printable } from '../printable.js';
import { decode } from '../wire/decode.js';
import { LogsRequest, TracesRequest } from '../wire/otlp.js';
import { type HttpAnswer, resultOfHttp } from './answer.js';
import { type Endpoint, endpointOf } from './endpoint-url.js';
import { type HttpProxy, proxyFor } from './proxy.js';
import { authorityOf, basic, tunnelThrough } from './proxy-tunnel.js';
import type { SendResult, Signal, Transport } from './transport.js';

const gzip = promisify(gzipWithCallback);
/** By an answer's encoding; `deflate` comes with zlib's header and without (RFC 9110, 8.4.1.2). */
const decoders: Record<string, ((body: InputType, options: ZlibOptions) => Promise<Buffer>)[]> = {
  gzip: [promisify(unzip)],
  'x-gzip': [promisify(unzip)],
  deflate: [promisify(unzip), promisify(inflateRaw)],
  br: [promisify(brotliDecompress)],
};
/** More of an answer is not read: it is neither OTLP's nor worth a message. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export function createHttpTransport(target: ResolvedExport, signal: Signal): Transport {
  const endpoint = endpointOf(target, signal)!;
  const { ca, cert, key, insecure } = target.tls;
  const tls = { ca, cert, key, ...(insecure && { rejectUnauthorized: false }) };
  const proxy = proxyFor(endpoint);
  const agent = new (endpoint.secure ? SecureAgent : Agent)({
    keepAlive: true,
    maxSockets: 1,
    ...(endpoint.secure && tls),
  });
  // As a method: some versions of Node have no look at an option of that name.
  if (endpoint.secure && proxy) agent.createConnection = tunnel(proxy, endpoint, tls, target.timeoutMs) as never;
  const headers: Record<string, string> = {
    'Content-Type': target.encoding === 'json' ? 'application/json' : 'application/x-protobuf',
    'User-Agent': `forktrace/${version}`,
    ...(endpoint.login !== undefined && { Authorization: basic(endpoint.login) }),
    // What is not encrypted, a proxy is asked for as it is (RFC 9112, 3.2.2).
    ...(proxy && !endpoint.secure && { Host: authorityOf(endpoint) }),
    ...(proxy?.login !== undefined && !endpoint.secure && { 'Proxy-Authorization': basic(proxy.login) }),
    ...target.headers,
    ...(target.compression === 'gzip' && { 'Content-Encoding': 'gzip' }),
  };
  const hop = proxy && !endpoint.secure ? proxy : endpoint;
  const options: RequestOptions = {
    method: 'POST',
    agent,
    ...(endpoint.socketPath === undefined ? { host: hop.host, port: hop.port } : { socketPath: endpoint.socketPath }),
    path: proxy && !endpoint.secure ? `http://${authorityOf(endpoint)}${endpoint.path}` : endpoint.path,
  };
  const open = endpoint.secure ? secureRequest : plainRequest;

  async function send(request: Uint8Array): Promise<SendResult> {
    try {
      const encoded = target.encoding === 'json' ? asJson(request, signal) : request;
      const body = target.compression === 'gzip' ? await gzip(encoded) : encoded;
      let exchange = await exchangeWithin(target.timeoutMs, () => open({ ...options, headers: own(body) }), body);
      // The other side closed an idle connection just when it was used again (Node's documentation of
      // request.reusedSocket).
      if (exchange instanceof Failure && exchange.stale) {
        exchange = await exchangeWithin(target.timeoutMs, () => open({ ...options, headers: own(body) }), body);
      }
      if (!(exchange instanceof Failure)) return resultOfHttp(exchange, encoded.length);
      return { outcome: 'retry', reason: exchange.reason, fault: exchange.fault, doubtful: exchange.wasSent };
    } catch (error) {
      return { outcome: 'retry', reason: printable(String((error as Error).message)) };
    }
  }
  const own = (body: Uint8Array) => ({ ...headers, 'Content-Length': String(body.length) });

  return { send, close: () => agent.destroy() };
}

const asJson = (request: Uint8Array, signal: Signal) =>
  Buffer.from(JSON.stringify(signal === 'logs' ? decode(request, LogsRequest) : decode(request, TracesRequest)));

/** No answer. */
class Failure {
  readonly reason: string;
  readonly fault: 'no-answer' | 'cut';
  readonly stale: boolean;
  /** The other side has the request, or part of it. */
  readonly wasSent: boolean;

  constructor(error: NodeJS.ErrnoException, { reusedSocket, socket }: ClientRequest, isConnected: boolean) {
    const text =
      error.message === 'aborted' ? 'the connection was closed before the answer was complete' : error.message;
    this.reason = printable(text || (error.code ?? String(error)));
    const cut = error.code === 'ECONNRESET' || error.code === 'EPIPE';
    // What waits for a connection counts as written, too.
    this.wasSent = isConnected && (socket?.bytesWritten ?? 0) > 0;
    this.fault = cut && this.wasSent ? 'cut' : 'no-answer';
    this.stale = cut && reusedSocket;
  }
}

/** One request and its whole answer: the time is for all of it, however slowly bytes trickle. */
function exchangeWithin(ms: number, open: () => ClientRequest, body: Uint8Array): Promise<HttpAnswer | Failure> {
  return new Promise((resolve) => {
    const request = open();
    let isConnected = false;
    request.once('socket', (socket) => {
      const connected = () => {
        isConnected = true;
      };
      if (request.reusedSocket) connected();
      else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected);
    });
    const settle = (outcome: HttpAnswer | Failure) => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const fail = (error: Error) => {
      settle(new Failure(error, request, isConnected));
      request.destroy(error);
    };
    // One that has no connection yet does not tell that it is destroyed.
    const timer = setTimeout(() => fail(new Error(`no answer within ${ms} ms`)), ms);
    // Of a server that goes on in another protocol nothing else tells.
    const unanswered = () => fail(new Error('the connection was closed without an answer'));
    request.on('error', fail);
    request.on('close', unanswered);
    request.on('response', (response) => {
      request.off('close', unanswered);
      readAnswer(response).then(settle, fail);
    });
    request.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  const { statusCode: status = 0, statusMessage: statusText = '', headers } = response;
  return { status, statusText, headers, body: await decoded(headers['content-encoding'], Buffer.concat(chunks)) };
}

/** Some compress whatever they are asked for. What is not what it says is left as it is. */
async function decoded(encodings: string | undefined, body: Buffer): Promise<Buffer> {
  let bytes = body;
  for (const encoding of encodings
    ?.toLowerCase()
    .split(/\s*,\s*/)
    .reverse() ?? []) {
    for (const decode of bytes.length > 0 ? (decoders[encoding] ?? []) : []) {
      const found = await decode(bytes, { maxOutputLength: MAX_ANSWER_BYTES }).catch(() => undefined);
      if (found === undefined) continue;
      bytes = found;
      break;
    }
  }
  return bytes;
}

/** A TLS connection through the proxy. */
function tunnel(proxy: HttpProxy, endpoint: Endpoint, tls: object, ms: number) {
  return (_options: unknown, connected: (error: Error | null, socket?: object) => void): undefined => {
    tunnelThrough(proxy, endpoint, ms, (error, socket) => {
      if (error) return connected(error);
      const { host } = endpoint;
      // An address is no server name (RFC 6066, 3).
      connected(null, tlsConnect({ ...tls, socket, host, ...(isIP(host) === 0 && { servername: host }) }));
    });
  };
}
