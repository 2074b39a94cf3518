/** A `Host` or `:authority` value in its parts; the port is that of the scheme when none is written. */
export interface HostAndPort {
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/** Splits `name:port`, `[v6]:port` or a bare name. */
export function parseHost(host: string, scheme: string): HostAndPort {
  const fallback = scheme === 'https' ? 443 : 80;
  if (host === '') return { address: undefined, port: undefined };
  const bracket = host.charCodeAt(0) === 0x5b /* [ */ ? host.indexOf(']') : -1;
  const address = bracket === -1 ? host : host.slice(1, bracket);
  const colon = host.indexOf(':', bracket === -1 ? 0 : bracket);
  if (colon === -1) return { address, port: fallback };
  const port = Number(host.slice(colon + 1));
  return {
    address: bracket === -1 ? host.slice(0, colon) : address,
    port: Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined,
  };
}

/** An IPv4 address that a dual-stack socket shows as IPv6 (`::ffff:10.0.0.1`), as IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
