import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type HostAndPort, parseHost, plainAddress } from './host.js';
import type { ServerRequest } from './server-request.js';

const CONNECTION = Symbol('forktrace.connection');

/** What all requests of a socket share, looked up once; and which of them are open, so that its end ends them. */
export class Connection {
  readonly scheme: 'http' | 'https';
  readonly peerAddress: string | undefined;
  readonly peerPort: number | undefined;
  /** Of an open request that the socket's end cuts short: `error.type`. */
  closeReason: string | undefined;
  /** Open requests, newest first, linked by {@link ServerRequest.next}: one, unless requests are pipelined. */
  open: ServerRequest | undefined = undefined;
  // A client sends the same Host on each request.
  #host = '';
  #parsedHost: HostAndPort = { address: undefined, port: undefined };

  constructor(socket: Socket) {
    const { remoteAddress } = socket;
    this.scheme = (socket as TLSSocket).encrypted ? 'https' : 'http';
    this.peerAddress = remoteAddress === undefined ? undefined : plainAddress(remoteAddress);
    this.peerPort = socket.remotePort;
    this.closeReason = undefined;
  }

  parseHost(host: string): HostAndPort {
    if (host !== this.#host) {
      this.#host = host;
      this.#parsedHost = parseHost(host, this.scheme);
    }
    return this.#parsedHost;
  }

  add(request: ServerRequest): void {
    request.next = this.open;
    this.open = request;
  }

  remove(request: ServerRequest): void {
    if (this.open === request) {
      this.open = request.next;
    } else {
      let previous = this.open;
      while (previous !== undefined && previous.next !== request) previous = previous.next;
      if (previous !== undefined) previous.next = request.next;
    }
    request.next = undefined;
  }
}

type ConnectedSocket = Socket & { [CONNECTION]?: Connection };

/** The connection of a socket; its first request makes it. */
export function connectionOf(socket: Socket): Connection {
  return (socket as ConnectedSocket)[CONNECTION] ?? connect(socket);
}

function connect(socket: Socket): Connection {
  const connection = new Connection(socket);
  (socket as ConnectedSocket)[CONNECTION] = connection;
  // Before node:http's own listener, which emits 'close' on responses: the app's listeners then run in their request's context.
  socket.prependListener('close', onSocketClose);
  return connection;
}

/** The connection that an event of the server is about, if it has seen a request. */
export function existingConnection(socket: Socket): Connection | undefined {
  return (socket as ConnectedSocket)[CONNECTION];
}

function onSocketClose(this: Socket): void {
  const { open } = (this as ConnectedSocket)[CONNECTION]!;
  for (let request = open; request !== undefined; ) {
    const { next } = request;
    request.connectionClosed();
    request = next;
  }
}
