/**
 * HTTP/2 connections to a gRPC endpoint, one at a time: directly or through a proxy, over TLS or not.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { ResolvedExport } from '../config/resolved.js';
import type { Endpoint } from './endpoint-url.js';
import type { HttpProxy } from './proxy.js';
import { authorityOf, tunnelThrough } from './proxy-tunnel.js';

export class GrpcConnection {
  readonly #endpoint: Endpoint;
  readonly #proxy: HttpProxy | undefined;
  readonly #secureContext: SecureContext | undefined;
  #session: ClientHttp2Session | undefined;
  #isClosed = false;

  /** @throws where the certificates are none */
  constructor(endpoint: Endpoint, proxy: HttpProxy | undefined, { ca, cert, key }: ResolvedExport['tls']) {
    this.#endpoint = endpoint;
    this.#proxy = proxy;
    if (!endpoint.secure) return;
    // As every gRPC library reads them (grpc/doc/environment_variables.md).
    const { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: roots, GRPC_SSL_CIPHER_SUITES: ciphers } = process.env;
    this.#secureContext = createSecureContext({
      ca: ca ?? (roots ? readFileSync(roots) : undefined),
      cert,
      key,
      ciphers,
    });
  }

  /** Of `:authority`. */
  get authority(): string {
    return this.#endpoint.socketPath === undefined ? authorityOf(this.#endpoint) : 'localhost';
  }

  /**
   * The connection that is there, or a new one once the server has said a first word in HTTP/2; given up
   * after `ms`. It holds no process open.
   */
  async session(ms: number): Promise<ClientHttp2Session> {
    const known = this.#session;
    // One that the server has said farewell to takes no more requests.
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const until = performance.now() + ms;
    const socket = await this.#socket(ms);
    return this.#greet(socket, until - performance.now());
  }

  /** Whatever is under way on it has failed. */
  drop(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.drop();
  }

  #greet(socket: Socket, ms: number): Promise<ClientHttp2Session> {
    return new Promise((resolve, reject) => {
      const session = connectHttp2(`${this.#endpoint.secure ? 'https' : 'http'}://${this.authority}`, {
        createConnection: () => socket,
        settings: { enablePush: false },
      });
      const timer = setTimeout(() => fail(new Error(`no answer within ${Math.ceil(ms)} ms`)), ms);
      const fail = (error: Error) => {
        clearTimeout(timer);
        session.destroy();
        reject(error);
      };
      session.on('error', fail);
      session.on('close', () => fail(new Error('the connection was closed before it spoke HTTP/2')));
      session.once('remoteSettings', () => {
        clearTimeout(timer);
        if (this.#isClosed) return fail(new Error('closed'));
        session.unref();
        this.#session = session;
        resolve(session);
      });
    });
  }

  #socket(ms: number): Promise<Socket> {
    const { host, port, socketPath } = this.#endpoint;
    if (this.#proxy) return this.#throughProxy(this.#proxy, ms);
    return Promise.resolve(
      this.#secured(socketPath === undefined ? connectTcp({ host, port }) : connectTcp(socketPath)),
    );
  }

  #throughProxy(proxy: HttpProxy, ms: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      tunnelThrough(proxy, this.#endpoint, ms, (error, socket) => {
        if (socket) resolve(this.#secured(socket));
        else reject(new NoTunnel(proxy, error!));
      });
    });
  }

  #secured(socket: Socket): Socket {
    const { host } = this.#endpoint;
    if (!this.#secureContext) return socket;
    // An address is no server name (RFC 6066, 3).
    const names = { host, ...(isIP(host) === 0 && { servername: host }) };
    return connectTls({ socket, secureContext: this.#secureContext, ALPNProtocols: ['h2'], ...names });
  }
}

class NoTunnel extends Error {
  constructor({ host, port }: HttpProxy, { message }: Error) {
    super(`The proxy ${host}:${port} makes none: it may be away, want another login, or not lead there (${message})`);
  }
}
