/**
 * What is probably wrong with an endpoint that takes nothing: from its URL, and from what its port turns out
 * to speak.
 *
 * @module
 */
import type { ResolvedExport } from '../config/resolved.js';
import { type Endpoint, endpointOf } from './endpoint-url.js';
import { probe, type Spoken } from './probe.js';
import { proxyFor } from './proxy.js';
import type { SendResult } from './transport.js';

/**
 * HTTP's status for a content coding that is not taken (RFC 9110, 15.5.16); grpc-go's and grpc-java's words.
 */
const NO_GZIP_TEXT = /^HTTP 415\b|decompressor/i;

/** A sentence for the operator; empty where nothing can be told. Never rejects; takes up to 2 seconds. */
export async function likelyMistake(
  target: ResolvedExport,
  failure: Extract<SendResult, { outcome: 'retry' | 'blocked' }>,
): Promise<string> {
  const endpoint = endpointOf(target);
  if (!endpoint) return '';
  if (target.compression === 'gzip' && NO_GZIP_TEXT.test(failure.reason))
    return "It may not take gzip: set the compression to 'none' (OTEL_EXPORTER_OTLP_COMPRESSION=none)";
  // Behind a proxy the port may not be reached in any other way.
  const probed = failure.fault !== undefined && !proxyFor(endpoint);
  const spoken = probed ? await probe(endpoint).catch(() => undefined) : undefined;
  return (spoken && mistakeOfPort(endpoint, spoken)) || mistakeOfUrl(endpoint);
}

function mistakeOfPort({ protocol, secure, name }: Endpoint, { tls, http }: Spoken): string {
  const scheme = (wanted: string) => name.replace(/^\w+/, wanted);
  if (tls && !secure) return `The port speaks TLS, the URL says plain text: try ${scheme('https')}`;
  if (!tls && secure && http) return `The port speaks plain text, the URL says TLS: try ${scheme('http')}`;
  if (protocol === 'OTLP/gRPC' && http === '1.1') {
    return "The port speaks HTTP/1.1, which gRPC cannot be sent over: set the protocol to 'otlp-http' (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf), or name the gRPC port, usually 4317";
  }
  if (protocol === 'OTLP/HTTP' && http === '2') {
    return "The port speaks HTTP/2 only, as gRPC servers do: set the protocol to 'otlp-grpc' (OTEL_EXPORTER_OTLP_PROTOCOL=grpc), or name the HTTP port, usually 4318";
  }
  return '';
}

function mistakeOfUrl({ protocol, path, port }: Endpoint): string {
  const [pathname = ''] = path.split('?');
  if (protocol === 'OTLP/HTTP') {
    if ((pathname.match(/\/v1\/(traces|metrics|logs)\b/g) ?? []).length > 1) {
      return 'The path has /v1/… twice: OTEL_EXPORTER_OTLP_ENDPOINT is a base URL, to which /v1/traces is appended';
    }
    if (port === 4317) return 'Port 4317 is usually that of OTLP/gRPC; OTLP/HTTP has 4318';
    if (!/\/v1\/(traces|metrics|logs)\/?$/.test(pathname)) {
      return `The path is ${pathname}; that of OTLP/HTTP usually ends in /v1/traces`;
    }
  } else if (port === 4318) {
    return 'Port 4318 is usually that of OTLP/HTTP; OTLP/gRPC has 4317';
  }
  return '';
}
