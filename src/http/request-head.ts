import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { IncomingHttpHeaders as Http2Headers, Http2ServerRequest, ServerHttp2Stream } from 'node:http2';
import { type Context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { RedactedNames } from '../secret-name.js';
import type { Connection } from './connection.js';
import { targetPath, targetQuery } from './request-target.js';

/**
 * What the head of a request can be read from; hooks get the request or, with the HTTP/2 stream API, the
 * stream.
 */
export type RequestSource = IncomingMessage | Http2ServerRequest | ServerHttp2Stream;

/**
 * What a request says before its body. One per server, filled for each request and read before the next one:
 * an object per request would be an allocation that lives no longer than a call.
 */
export class RequestHead {
  connection!: Connection;
  method = '';
  path = '';
  query: string | undefined;
  /** `network.protocol.version`. */
  version = '';
  host: string | undefined;
  userAgent: string | undefined;
  scheme: 'http' | 'https' = 'http';
  clientAddress: string | undefined;
  /** The request has a field of the propagator. */
  hasContext = false;
  /** `traceparent`, when it is the only such field. */
  traceparent: string | undefined;
  /** The request says that a body follows. */
  hasBody = false;
  /** The context that the span was started in. */
  parent: Context = ROOT_CONTEXT;
  /** `http.request.method` as the span has it. */
  knownMethod = '';
  /** `spanDetails` has named the span. */
  named = false;
  readonly #redacted: RedactedNames;
  #message: IncomingMessage | undefined;
  #headers: IncomingHttpHeaders | Http2Headers | undefined;

  constructor(redacted: RedactedNames) {
    this.#redacted = redacted;
  }

  /**
   * All headers, by lower-case name. HTTP/1 builds them on first use, which costs as much as a span: ask only
   * when needed.
   */
  get headers(): IncomingHttpHeaders {
    return (this.#headers ?? this.#message!.headers) as IncomingHttpHeaders;
  }

  /**
   * One pass over the raw headers of an HTTP/1 request. The first of each name counts, as it does for
   * node:http.
   */
  readMessage(message: IncomingMessage, connection: Connection, fields: ContextFields): void {
    const target = message.url ?? '';
    this.#message = message;
    this.#headers = undefined;
    this.connection = connection;
    this.method = message.method ?? '';
    this.path = targetPath(target);
    this.query = targetQuery(target, this.#redacted);
    this.version = message.httpVersion ?? '1.1';
    this.scheme = connection.scheme;
    this.clientAddress = connection.peerAddress;

    // Adapters of serverless platforms fill in `headers` alone.
    const rawHeaders = (
      message.rawHeaders?.length > 0 ? message.rawHeaders : Object.entries(message.headers ?? {}).flat()
    ) as string[];
    let host: string | undefined;
    let userAgent: string | undefined;
    let hasContext = false;
    let hasBody = false;
    let traceparent: string | undefined;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]!;
      const { length } = name;
      if (length === 4) {
        if (host === undefined && is(name, 'Host', 'host')) host = rawHeaders[i + 1];
      } else if (length === 10 && is(name, 'User-Agent', 'user-agent')) {
        userAgent ??= rawHeaders[i + 1];
      } else if (length === 14 && is(name, 'Content-Length', 'content-length')) {
        hasBody = rawHeaders[i + 1] !== '0';
      } else if (length === 17 && is(name, 'Transfer-Encoding', 'transfer-encoding')) {
        hasBody = true;
      } else if (fields.maybe(name)) {
        const lower = name.toLowerCase();
        if (!fields.names.includes(lower)) continue;
        traceparent = lower === 'traceparent' && !hasContext ? rawHeaders[i + 1] : undefined;
        hasContext = true;
      }
    }
    this.host = host;
    this.userAgent = userAgent;
    this.hasContext = hasContext;
    this.traceparent = traceparent;
    this.hasBody = hasBody;
  }

  readStream(stream: ServerHttp2Stream, headers: Http2Headers, connection: Connection): void {
    const target = headers[':path'] ?? '';
    this.#message = undefined;
    this.#headers = headers;
    this.connection = connection;
    this.method = headers[':method'] ?? '';
    this.path = targetPath(target);
    this.query = targetQuery(target, this.#redacted);
    this.version = '2';
    this.host = headers[':authority'] ?? headers.host;
    this.userAgent = headers['user-agent'];
    this.scheme = connection.scheme;
    this.clientAddress = connection.peerAddress;
    this.hasContext = true;
    this.traceparent = undefined;
    this.hasBody = !stream.readableEnded;
  }
}

/** The header names that a propagator reads. */
export class ContextFields {
  /** In lower case. */
  readonly names: readonly string[];
  /** By length and first letter: tells most other names apart without a look at their letters. */
  readonly #shapes: readonly boolean[];

  constructor(names: readonly string[]) {
    this.names = names.map((name) => name.toLowerCase());
    const shapes: boolean[] = [];
    for (const name of this.names) shapes[shapeOf(name)] = true;
    // Without holes, whose reads look up the prototype.
    this.#shapes = Array.from(shapes, Boolean);
  }

  maybe(name: string): boolean {
    return this.#shapes[shapeOf(name)] === true;
  }
}

function shapeOf(name: string): number {
  return (name.length << 5) | (name.charCodeAt(0) & 31);
}

function is(name: string, usual: string, lower: string): boolean {
  return name === usual || name === lower || (shapeOf(name) === shapeOf(lower) && name.toLowerCase() === lower);
}
