/**
 * What trusted proxies say of the client: `Forwarded` (RFC 7239), else `X-Forwarded-For`, `-Proto` and
 * `-Host`.
 *
 * @module
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { TrustProxy } from '../config/resolved.js';
import { plainAddress } from './host.js';

export interface ForwardedClient {
  address: string | undefined;
  scheme: 'http' | 'https' | undefined;
  host: string | undefined;
}

/**
 * The client as the nearest trusted proxies have passed it on; a header of a proxy that is not trusted is not
 * read.
 */
export function forwardedClient(
  headers: IncomingHttpHeaders,
  peer: string | undefined,
  trust: TrustProxy,
): ForwardedClient {
  // A Unix socket has no address; who may connect to it is local.
  if (!trust(peer ?? '127.0.0.1', 0)) return { address: peer, scheme: undefined, host: undefined };
  const hops = forwardedHops(headers);
  // From the nearest hop outwards: each was added by the one before it, so all before must be trusted.
  let hop = hops.length - 1;
  while (hop > 0 && hops[hop]!.address !== undefined && trust(hops[hop]!.address!, hops.length - hop)) hop--;
  const client = hops[hop];
  return {
    address: client?.address ?? peer,
    scheme: client?.scheme,
    host: client?.host,
  };
}

/** Farthest first, as in the headers. */
function forwardedHops(headers: IncomingHttpHeaders): ForwardedClient[] {
  if (headers.forwarded !== undefined) return headers.forwarded.split(',').map(parseForwarded);
  const addresses = values(headers['x-forwarded-for']);
  const schemes = values(headers['x-forwarded-proto']);
  const hosts = values(headers['x-forwarded-host']);
  // Proxies that append write one value per hop; many set a single scheme and host for all of them.
  const at = (list: string[], index: number) => (list.length === addresses.length ? list[index] : list[0]);
  if (addresses.length === 0) {
    return [{ address: undefined, scheme: scheme(schemes[0]), host: hosts[0] }];
  }
  return addresses.map((address, index) => ({
    address: nodeAddress(address),
    scheme: scheme(at(schemes, index)),
    host: at(hosts, index),
  }));
}

function parseForwarded(element: string): ForwardedClient {
  const client: ForwardedClient = { address: undefined, scheme: undefined, host: undefined };
  for (const pair of element.split(';')) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals).trim().toLowerCase();
    const value = pair
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1');
    if (name === 'for') client.address = nodeAddress(value);
    else if (name === 'proto') client.scheme = scheme(value);
    else if (name === 'host') client.host = value;
  }
  return client;
}

/** An address without its port; undefined for what is none (`unknown`, `_hidden`). */
function nodeAddress(node: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(node)?.[1];
  const address = bracketed ?? (isIP(node) === 0 ? node.replace(/:\d+$/, '') : node);
  return isIP(address) === 0 ? undefined : plainAddress(address);
}

function scheme(value: string | undefined): 'http' | 'https' | undefined {
  const lower = value?.toLowerCase();
  return lower === 'http' || lower === 'https' ? lower : undefined;
}

function values(header: string | string[] | undefined): string[] {
  if (header === undefined) return [];
  return String(header)
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
}
