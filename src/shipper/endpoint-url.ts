/**
 * An OTLP endpoint's URL, taken apart for whoever connects to it.
 *
 * @module
 */
import type { ResolvedExport } from '../config/resolved.js';
import type { Signal } from './transport.js';

const DEFAULT_URLS = { grpc: 'http://localhost:4317', http: 'http://localhost:4318' } as const;

export interface Endpoint {
  /** As messages name it: without user, password and query, which may be secrets. */
  name: string;
  protocol: 'OTLP/gRPC' | 'OTLP/HTTP';
  secure: boolean;
  /** Empty for a Unix socket. */
  host: string;
  port: number;
  /** Of a Unix socket: `unix:///path`. */
  socketPath: string | undefined;
  /** Of HTTP requests, with the query. */
  path: string;
  /** `user:password` of the URL, decoded. */
  login: string | undefined;
}

/** undefined: nothing is connected to. */
export function endpointOf({ to, url, tls }: ResolvedExport, signal: Signal = 'traces'): Endpoint | undefined {
  if (to === 'none' || to === 'console') return undefined;
  const isHttp = to === 'otlp-http';
  const protocol = isHttp ? 'OTLP/HTTP' : 'OTLP/gRPC';
  const text = url ?? (isHttp ? `${DEFAULT_URLS.http}/v1/${signal}` : DEFAULT_URLS.grpc);
  const socket = /^unix:(?:\/\/)?(.+)$/.exec(text)?.[1];
  if (socket !== undefined) {
    const path = `/v1/${signal}`;
    const name = `unix://${socket}`;
    return { name, protocol, secure: false, host: '', port: 0, socketPath: socket, path, login: undefined };
  }
  // gRPC's own notation, without a scheme: secure unless it is said not to be.
  const parsed = new URL(text.includes('://') ? text : `${tls.insecure ? 'http' : 'https'}://${text}`);
  const secure = parsed.protocol === 'https:';
  const { hostname, pathname, search } = parsed;
  return {
    name: `${parsed.protocol}//${parsed.host}${isHttp ? pathname : ''}`,
    protocol,
    secure,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? (secure ? 443 : 80) : Number(parsed.port),
    socketPath: undefined,
    path: pathname + search,
    login: loginOf(parsed),
  };
}

/** `user:password`, decoded. */
export function loginOf({ username, password }: URL): string | undefined {
  return username === '' && password === '' ? undefined : `${decoded(username)}:${decoded(password)}`;
}

/** A percent sign that stands for itself, as it may in a password, stays what it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
