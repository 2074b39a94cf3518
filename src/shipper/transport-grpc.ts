/**
 * OTLP over gRPC, on Node's own HTTP/2 client: `@grpc/grpc-js` takes half a millisecond of CPU time and a
 * copy of the request for each call, which is as much as all else that the shipper does for it, and
 * reconnects by timers of its own.
 *
 * @module
 */
import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { promisify } from 'node:util';
import { gunzip, gzip as gzipWithCallback, inflate } from 'node:zlib';
import type { ResolvedExport } from '../config/resolved.js';
import { version } from '../own-files.js';
import { printable } from '../printable.js';
import { type GrpcAnswer, resultOfGrpc } from './answer.js';
import { endpointOf } from './endpoint-url.js';
import { GrpcConnection } from './grpc-connection.js';
import { statusOf, statusOfHttp, statusOfReset, statusOfTrailers } from './grpc-status.js';
import { acceptedBy } from './otlp-response.js';
import { proxyFor } from './proxy.js';
import { basic } from './proxy-tunnel.js';
import type { SendResult, Signal, Transport } from './transport.js';

const EXPORT = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
} as const satisfies Record<Signal, string>;

const gzip = promisify(gzipWithCallback);
const decoders: Record<string, (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
};
/** Of a message: whether it is compressed, and its length in four bytes. */
const PREFIX_BYTES = 5;
/** A longer answer is none of OTLP's. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const HTTP_OK = 200;

/** The message, or why there is none. */
type Answer = Buffer | GrpcAnswer;

export function createGrpcTransport(target: ResolvedExport, signal: Signal): Transport {
  const { timeoutMs, compression } = target;
  const endpoint = endpointOf(target, signal)!;
  // The embedded viewer is on this machine: no proxy leads there.
  const proxy = target.to === 'viewer' ? undefined : proxyFor(endpoint);
  const connection = new GrpcConnection(endpoint, proxy, target.tls);
  const headers = {
    ...(endpoint.login !== undefined && { authorization: basic(endpoint.login) }),
    ...target.headers,
    ':method': 'POST',
    ':scheme': endpoint.secure ? 'https' : 'http',
    ':authority': connection.authority,
    ':path': EXPORT[signal],
    te: 'trailers',
    'content-type': 'application/grpc',
    'user-agent': `forktrace/${version}`,
    'grpc-accept-encoding': 'identity,deflate,gzip',
    ...(compression === 'gzip' && { 'grpc-encoding': 'gzip' }),
  };

  async function answerTo(request: Uint8Array, isAgain = false): Promise<Answer> {
    const until = performance.now() + timeoutMs;
    const body = compression === 'gzip' ? await gzip(request) : request;
    let session: ClientHttp2Session;
    try {
      session = await connection.session(timeoutMs);
    } catch (error) {
      const details = `No connection established. ${(error as Error).message}`;
      const isLate = performance.now() >= until;
      return { ...statusOf(isLate ? 'DEADLINE_EXCEEDED' : 'UNAVAILABLE', details), isUnsent: true };
    }
    const leftMs = Math.max(1, Math.ceil(until - performance.now()));
    const stream = session.request({ ...headers, 'grpc-timeout': `${leftMs}m` });
    const call = new Call(session, stream);
    const timer = setTimeout(() => {
      call.end(statusOf('DEADLINE_EXCEEDED', `no answer within ${timeoutMs} ms`));
      // The connection may be half open: what comes next gets a new one.
      connection.drop();
    }, leftMs);
    session.ref();
    call.write(body, compression === 'gzip');
    const answer = await call.answered;
    clearTimeout(timer);
    session.unref();
    // A server that says farewell to a connection refuses what is on its way. It has not looked at it, so it
    // is sent once more, as by every gRPC client (RFC 9113, 8.7).
    const isRefused = 'codeName' in answer && answer.isUnsent === true;
    return isRefused && !isAgain ? answerTo(request, true) : answer;
  }

  return {
    async send(request): Promise<SendResult> {
      try {
        const answer = await answerTo(request);
        return 'codeName' in answer ? resultOfGrpc(answer, request.length) : acceptedBy(answer);
      } catch (error) {
        // Headers that HTTP/2 has no place for.
        return { outcome: 'blocked', reason: printable(String((error as Error).message)) };
      }
    },
    close: () => connection.close(),
  };
}

/** One request and its answer. */
class Call {
  readonly answered: Promise<Answer>;
  readonly #stream: ClientHttp2Stream;
  #settle!: (answer: Answer | Promise<Answer>) => void;
  #httpStatus = 0;
  #encoding = 'identity';
  #status: GrpcAnswer | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Of the message, without its prefix; -1: not known yet. */
  #length = -1;
  #hasEnded = false;

  constructor(session: ClientHttp2Session, stream: ClientHttp2Stream) {
    this.#stream = stream;
    this.answered = new Promise((resolve) => {
      this.#settle = resolve;
    });
    stream.on('response', (headers, flags) => {
      this.#httpStatus = headers[':status'] ?? 0;
      this.#encoding = String(headers['grpc-encoding'] ?? 'identity');
      if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) this.#heardStatus(headers);
    });
    stream.on('trailers', (trailers) => this.#heardStatus(trailers));
    stream.on('data', (chunk: Buffer) => this.#heard(chunk));
    stream.on('end', () => {
      this.#hasEnded = true;
      this.#finish();
    });
    let failure: NodeJS.ErrnoException | undefined;
    stream.on('error', (error) => {
      failure = error;
    });
    stream.on('close', () => this.end(this.#statusOfClose(session, failure)));
  }

  /** Sends the request. */
  write(body: Uint8Array, isCompressed: boolean): void {
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix[0] = isCompressed ? 1 : 0;
    prefix.writeUInt32BE(body.length, 1);
    const stream = this.#stream;
    stream.cork();
    stream.write(prefix);
    // Ends the cork: both go at once.
    stream.end(body);
  }

  /** Whatever comes of the stream after that is not heard. */
  end(answer: Answer | Promise<Answer>): void {
    this.#settle(answer);
    this.#chunks = [];
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #heardStatus(headers: IncomingHttpHeaders): void {
    const status = statusOfTrailers(headers, this.#httpStatus);
    this.#status = status;
    if (status.codeName === 'OK') this.#finish();
    else this.end(status);
  }

  #heard(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#length >= 0 || this.#bytes < PREFIX_BYTES) return;
    this.#length = Buffer.concat(this.#chunks).readUInt32BE(1);
    if (this.#length <= MAX_ANSWER_BYTES) return;
    // A page, most often, whose status says more.
    const tooLong = `Received message larger than max (${this.#length} vs ${MAX_ANSWER_BYTES})`;
    this.end(this.#httpStatus === HTTP_OK ? statusOf('RESOURCE_EXHAUSTED', tooLong) : statusOfHttp(this.#httpStatus));
  }

  /** Both have come: its status, and the end of its message. */
  #finish(): void {
    if (!this.#hasEnded || this.#status === undefined) return;
    const isWhole = this.#length >= 0 && this.#bytes >= PREFIX_BYTES + this.#length;
    if (isWhole) this.end(messageIn(Buffer.concat(this.#chunks), this.#length, this.#encoding));
    else this.end(statusOf('UNIMPLEMENTED', 'No message received'));
  }

  #statusOfClose(session: ClientHttp2Session, failure: NodeJS.ErrnoException | undefined): GrpcAnswer {
    const { rstCode } = this.#stream;
    if (rstCode === constants.NGHTTP2_REFUSED_STREAM) return { ...statusOfReset(rstCode), isUnsent: true };
    // Node takes a connection that is gone for streams that were cancelled.
    const isCut =
      session.destroyed && rstCode !== constants.NGHTTP2_NO_ERROR && rstCode !== constants.NGHTTP2_ENHANCE_YOUR_CALM;
    if (isCut) return statusOf('UNAVAILABLE', failure?.message ?? 'the connection was closed before the answer');
    const isOfHttp = rstCode === constants.NGHTTP2_NO_ERROR && this.#httpStatus !== 0 && this.#httpStatus !== HTTP_OK;
    return isOfHttp ? statusOfHttp(this.#httpStatus) : statusOfReset(rstCode);
  }
}

/** The message behind the prefix, as it was before it was compressed. */
async function messageIn(bytes: Buffer, length: number, encoding: string): Promise<Answer> {
  const message = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
  if (bytes[0] === 0) return message;
  const decoded = await decoders[encoding]?.(message, { maxOutputLength: MAX_ANSWER_BYTES }).catch(() => undefined);
  return decoded ?? statusOf('UNKNOWN', 'an answer that gRPC does not know');
}
