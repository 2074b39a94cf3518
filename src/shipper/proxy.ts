/**
 * The HTTP proxy that the environment names for an endpoint, as curl and gRPC's libraries read it:
 * `HTTPS_PROXY` for TLS and for gRPC, `HTTP_PROXY` for plain text, `ALL_PROXY` for what neither names,
 * `NO_PROXY` for the exceptions; small letters win.
 *
 * @module
 */
import { isIP } from 'node:net';
import type { Endpoint } from './endpoint-url.js';

export interface HttpProxy {
  host: string;
  port: number;
  /** `user:password`, decoded. */
  login: string | undefined;
}

/** undefined: the endpoint is connected to directly. */
export function proxyFor(
  { protocol: spoken, secure, host, port }: Pick<Endpoint, 'protocol' | 'secure' | 'host' | 'port'>,
  env: NodeJS.ProcessEnv = process.env,
): HttpProxy | undefined {
  const read = (name: string) => env[name.toLowerCase()] || env[name] || undefined;
  // gRPC is always tunnelled, whether or not it is encrypted.
  const tunnelled = secure || spoken === 'OTLP/gRPC' ? read('HTTPS_PROXY') : undefined;
  const text = tunnelled ?? (secure ? undefined : read('HTTP_PROXY')) ?? read('ALL_PROXY');
  if (host === '' || text === undefined || isExcepted(host, port, read('NO_PROXY') ?? '')) return undefined;
  const full = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(full)) return undefined;
  const { protocol, hostname, port: proxyPort, username, password } = new URL(full);
  // Others (socks5, a proxy that is spoken to over TLS) are not supported; docs/configuration.md says so.
  if (protocol !== 'http:') return undefined;
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: proxyPort === '' ? 80 : Number(proxyPort),
    login: username === '' ? undefined : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
  };
}

function isExcepted(host: string, port: number, exceptions: string): boolean {
  const name = host.toLowerCase();
  return exceptions
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === '') return false;
      if (entry === '*') return true;
      const [, pattern, onlyPort] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry)!;
      if (onlyPort !== undefined && Number(onlyPort) !== port) return false;
      const bare = pattern!.replace(/^\*?\.|^\[|\]$/g, '');
      return inNetwork(name, bare) || name === bare || (isIP(name) === 0 && name.endsWith(`.${bare}`));
    });
}

/** An IPv4 address within `10.0.0.0/8`. */
function inNetwork(host: string, entry: string): boolean {
  const [network = '', bits = ''] = entry.split('/');
  if (isIP(host) !== 4 || isIP(network) !== 4 || !/^\d{1,2}$/.test(bits)) return false;
  const number = (address: string) => address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(bits));
  return Math.floor(number(host) / size) === Math.floor(number(network) / size);
}
