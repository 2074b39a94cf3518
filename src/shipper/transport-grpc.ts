/**
 * OTLP over gRPC, with the client of @grpc/grpc-js that OpenTelemetry's exporter uses. Not through
 * `createOtlpGrpcExportDelegate`: that takes no channel options, and a channel's own reconnect backoff grows
 * to 2 minutes, which the spans of a Collector that is back would wait for.
 *
 * @module
 */

import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { ResolvedExport } from '../config/resolved.js';
import { version } from '../own-files.js';
import { resultOfGrpc } from './answer.js';
import { type Endpoint, endpointOf } from './endpoint-url.js';
import { acceptedBy } from './otlp-response.js';
import { type HttpProxy, proxyFor } from './proxy.js';
import type { SendResult, Signal, Transport } from './transport.js';

const EXPORT = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
} as const satisfies Record<Signal, string>;
const GZIP = 2;

const asIs = (bytes: Buffer) => bytes;

export function createGrpcTransport(target: ResolvedExport, signal: Signal): Transport {
  const endpoint = endpointOf(target, signal)!;
  const channelCredentials = endpoint.secure ? tlsCredentials(target.tls, endpoint.host) : credentials.createInsecure();
  const metadata = new Metadata();
  if (endpoint.login !== undefined) {
    metadata.set('authorization', `Basic ${Buffer.from(endpoint.login).toString('base64')}`);
  }
  for (const [name, value] of Object.entries(target.headers)) metadata.set(name, value);
  // The embedded viewer is on this machine: no proxy leads there.
  const proxy = target.to === 'viewer' ? undefined : proxyFor(endpoint);
  const connect = () => connectTo(endpoint, proxy, channelCredentials, target.compression);
  let client = connect();

  return {
    send(request) {
      return new Promise((resolve) => {
        const bytes = Buffer.from(request.buffer, request.byteOffset, request.length);
        const deadline = Date.now() + target.timeoutMs;
        client.makeUnaryRequest(EXPORT[signal], asIs, asIs, bytes, metadata, { deadline }, (error, response) => {
          if (error?.code === status.DEADLINE_EXCEEDED) {
            // The connection may be half open: what comes next gets a new one.
            client.close();
            client = connect();
          }
          resolve(error ? failed(error, bytes.length, proxy) : acceptedBy(response ?? Buffer.alloc(0)));
        });
      });
    },
    close: () => client.close(),
  };
}

function connectTo(
  endpoint: Endpoint,
  proxy: HttpProxy | undefined,
  channelCredentials: ChannelCredentials,
  compression: 'none' | 'gzip',
): Client {
  const { address, options } = routeTo(endpoint, proxy);
  return new Client(address, channelCredentials, {
    'grpc.primary_user_agent': `forktrace/${version}`,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5000,
    // Its 30 seconds would be waited for when an endpoint's name has another address.
    'grpc.dns_min_time_between_resolutions_ms': 1000,
    'grpc.use_local_subchannel_pool': 1,
    // It reads HTTP_PROXY for TLS endpoints, too, and only in small letters.
    'grpc.enable_http_proxy': 0,
    // It takes an address for a server name, which TLS does not (RFC 6066, 3), nor Node from 26 on; none at
    // all it does not take.
    ...(isIP(endpoint.host) !== 0 && { 'grpc.ssl_target_name_override': 'localhost' }),
    ...(compression === 'gzip' && { 'grpc.default_compression_algorithm': GZIP }),
    ...options,
  });
}

/** Where to connect to; through a proxy, what to ask it for. */
function routeTo(endpoint: Endpoint, proxy: HttpProxy | undefined): { address: string; options: object } {
  if (endpoint.socketPath !== undefined) {
    return { address: `unix:${endpoint.socketPath}`, options: { 'grpc.default_authority': 'localhost' } };
  }
  const authority = `${endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
  if (!proxy) return { address: authority, options: {} };
  return {
    address: `dns:${proxy.host}:${proxy.port}`,
    options: {
      'grpc.http_connect_target': `dns:${authority}`,
      'grpc.default_authority': authority,
      ...(proxy.login !== undefined && { 'grpc.http_connect_creds': proxy.login }),
    },
  };
}

/** Of grpc-js, where a proxy has made no connection: it keeps what that has answered to itself. */
const NO_TUNNEL_TEXT = /^No connection established\. Last error: undefined\b.*/s;

function failed(
  { code, details, metadata }: Partial<ServiceError>,
  requestBytes: number,
  proxy: HttpProxy | undefined,
): SendResult {
  const said = details ?? 'an answer that gRPC does not know';
  const statusDetails = metadata?.get('grpc-status-details-bin')[0];
  const answer = {
    code: code ?? status.UNKNOWN,
    // It may have no code, or one that is no number: grpc-js hands on what it got.
    codeName: Number.isInteger(code) ? (status[code!] ?? String(code)) : 'UNKNOWN',
    details: proxy
      ? said.replace(
          NO_TUNNEL_TEXT,
          `No connection established. The proxy ${proxy.host}:${proxy.port} makes none: it may be away, want another login, or not lead there`,
        )
      : said,
    statusDetails: typeof statusDetails === 'object' ? statusDetails : undefined,
  };
  return resultOfGrpc(answer, requestBytes);
}

function tlsCredentials({ ca, cert, key }: ResolvedExport['tls'], host: string): ChannelCredentials {
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  // Whatever server name is asked for, the certificate has to be the endpoint's.
  const checked = {
    checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate),
  };
  return credentials.createSsl(pem(ca), pem(key), pem(cert), isIP(host) === 0 ? undefined : checked);
}
