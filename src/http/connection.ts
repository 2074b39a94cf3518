import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { AttributeBlock } from '../tracer/attribute-block.js';
import { type HostAndPort, parseHost, plainAddress } from './host.js';
import { type SyntheticType, syntheticType } from './synthetic-user-agent.js';

const CONNECTION = Symbol('forktrace.connection');

/** A request whose response is not out yet. */
export interface OpenRequest {
  /** The next of its connection's open requests. */
  next: OpenRequest | undefined;
  readonly response: unknown;
  /** The connection is gone before the response was handed over. */
  connectionClosed(): void;
}

/**
 * What all requests of a socket share, looked up once; and which of them are open, so that its end ends them.
 */
export class Connection {
  readonly scheme: 'http' | 'https';
  readonly peerAddress: string | undefined;
  readonly peerPort: number | undefined;
  /** Of an open request that the socket's end cuts short: `error.type`. */
  closeReason: string | undefined = undefined;
  /** Open requests, newest first, linked by {@link OpenRequest.next}: one, unless requests are pipelined. */
  open: OpenRequest | undefined = undefined;
  // A client sends the same Host and User-Agent on each request.
  #host = '';
  #parsedHost: HostAndPort = { address: undefined, port: undefined };
  #userAgent: string | undefined = undefined;
  #synthetic: SyntheticType | undefined = undefined;

  /** What the head of the last request was when {@link block} was made. */
  #head: HeadFields = { host: undefined, userAgent: undefined, version: '', scheme: 'http', clientAddress: undefined };
  /** The attributes that do not change from one request to the next, for the journal's tracer. */
  block: AttributeBlock | undefined = undefined;

  /**
   * @param socket adapters and test tools emit requests that have none, or an object with some of its members
   */
  constructor(socket: Partial<Socket> | null | undefined) {
    const remoteAddress = socket?.remoteAddress;
    const remotePort = socket?.remotePort;
    this.scheme = (socket as Partial<TLSSocket> | null | undefined)?.encrypted ? 'https' : 'http';
    this.peerAddress = typeof remoteAddress === 'string' ? plainAddress(remoteAddress) : undefined;
    this.peerPort = typeof remotePort === 'number' ? remotePort : undefined;
  }

  parseHost(host: string, scheme: string): HostAndPort {
    if (scheme !== this.scheme) return parseHost(host, scheme);
    if (host !== this.#host) {
      this.#host = host;
      this.#parsedHost = parseHost(host, scheme);
    }
    return this.#parsedHost;
  }

  syntheticType(userAgent: string | undefined): SyntheticType | undefined {
    if (userAgent !== this.#userAgent) {
      this.#userAgent = userAgent;
      this.#synthetic = userAgent === undefined ? undefined : syntheticType(userAgent);
    }
    return this.#synthetic;
  }

  /** Whether {@link block} is good for a request with this head. */
  hasBlockFor({ host, userAgent, version, scheme, clientAddress }: HeadFields): boolean {
    const made = this.#head;
    return (
      host === made.host &&
      userAgent === made.userAgent &&
      version === made.version &&
      scheme === made.scheme &&
      clientAddress === made.clientAddress
    );
  }

  keepBlock(block: AttributeBlock | undefined, { host, userAgent, version, scheme, clientAddress }: HeadFields): void {
    this.block = block;
    this.#head = { host, userAgent, version, scheme, clientAddress };
  }

  /** The open request that `response` answers. */
  find(response: unknown): OpenRequest | undefined {
    let request = this.open;
    while (request !== undefined && request.response !== response) request = request.next;
    return request;
  }

  add(request: OpenRequest): void {
    this.closeReason = undefined;
    request.next = this.open;
    this.open = request;
  }

  remove(request: OpenRequest): void {
    if (this.open === request) {
      this.open = request.next;
    } else {
      let previous = this.open;
      while (previous !== undefined && previous.next !== request) previous = previous.next;
      if (previous !== undefined) previous.next = request.next;
    }
    request.next = undefined;
  }

  /** The socket has closed. */
  closed(): void {
    for (let request = this.open; request !== undefined; ) {
      const { next } = request;
      request.connectionClosed();
      request = next;
    }
  }
}

/** Of a request's head, what is the same for all requests of most connections. */
interface HeadFields {
  host: string | undefined;
  userAgent: string | undefined;
  version: string;
  scheme: 'http' | 'https';
  clientAddress: string | undefined;
}

type ConnectedSocket = Socket & { [CONNECTION]?: Connection };

/** The connection of a socket, if a request has come on it. */
export function connectionOf(socket: Socket | null | undefined): Connection | undefined {
  return (socket as ConnectedSocket | null | undefined)?.[CONNECTION];
}

/** The connection of a socket's first request. */
export function connect(socket: Socket): Connection {
  const connection = new Connection(socket);
  (socket as ConnectedSocket)[CONNECTION] = connection;
  // Before node:http's own listener, which emits 'close' on responses: the app's listeners then run in their
  // request's context.
  socket.prependListener('close', onSocketClose);
  return connection;
}

function onSocketClose(this: Socket): void {
  (this as ConnectedSocket)[CONNECTION]!.closed();
}
