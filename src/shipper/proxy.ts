/**
 * The HTTP proxy that the environment names for an endpoint, as curl and gRPC's libraries read it:
 * `HTTPS_PROXY` for TLS and for gRPC, `HTTP_PROXY` for plain text, `ALL_PROXY` for what neither names,
 * `NO_PROXY` for the exceptions; small letters win.
 *
 * @module
 */
import { BlockList, isIP } from 'node:net';
import { type Endpoint, loginOf } from './endpoint-url.js';

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
  const url = new URL(full);
  const { protocol, hostname, port: proxyPort } = url;
  // Others (socks5, a proxy that is spoken to over TLS) are not supported; docs/configuration.md says so.
  if (protocol !== 'http:') return undefined;
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: proxyPort === '' ? 80 : Number(proxyPort),
    login: loginOf(url),
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
      const bare = pattern!.replace(/^\*?\.|[[\]]/g, '');
      return inNetwork(name, bare) || name === bare || (isIP(name) === 0 && name.endsWith(`.${bare}`));
    });
}

/** An address within `10.0.0.0/8` or `fd00::/8`; one alone, however it is written. */
function inNetwork(host: string, entry: string): boolean {
  const [network = '', bits] = entry.split('/');
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || !/^\d{0,3}$/.test(bits ?? '')) return false;
  const [type, most] = family === 4 ? (['ipv4', 32] as const) : (['ipv6', 128] as const);
  const prefix = bits === undefined ? most : Number(bits);
  if (bits === '' || prefix > most) return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return list.check(host, type);
}
