import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { Endpoint } from './endpoint-url.js';
import type { HttpProxy } from './proxy.js';

/**
 * A connection to an endpoint through a proxy (RFC 9110, 9.3.6).
 *
 * @param connected with what the proxy says instead, if it makes none within `ms`
 */
export function tunnelThrough(
  proxy: HttpProxy,
  endpoint: Endpoint,
  ms: number,
  connected: (error: Error | undefined, socket?: Socket) => void,
): void {
  const authority = authorityOf(endpoint);
  const asked = request({
    method: 'CONNECT',
    host: proxy.host,
    port: proxy.port,
    path: authority,
    agent: false,
    headers: {
      Host: authority,
      ...(proxy.login !== undefined && { 'Proxy-Authorization': basic(proxy.login) }),
    },
  });
  const failed = (what: string) => connected(new Error(`the proxy ${proxy.host}:${proxy.port}${what}`));
  // Whoever waits for the connection gives up by itself, and nothing else can have it then.
  const timer = setTimeout(() => asked.destroy(new Error(`no answer within ${ms} ms`)), ms);
  asked.once('close', () => {
    clearTimeout(timer);
    // Nobody listens where it has connected, or has failed.
    failed(' closed the connection without an answer');
  });
  asked.on('connect', ({ statusCode, statusMessage }, socket, head) => {
    if (statusCode !== 200) {
      socket.destroy();
      failed(` answered ${statusCode} ${statusMessage}`);
      return;
    }
    if (head.length > 0) socket.unshift(head);
    clearTimeout(timer);
    connected(undefined, socket);
  });
  asked.on('error', (error) => failed(`: ${error.message}`));
  asked.end();
}

/** `host:port`, as HTTP wants it. */
export const authorityOf = ({ host, port }: Pick<Endpoint, 'host' | 'port'>): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** A login for `Authorization` and `Proxy-Authorization`. */
export const basic = (login: string): string => `Basic ${Buffer.from(login).toString('base64')}`;
