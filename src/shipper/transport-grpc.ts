/**
 * OTLP over gRPC, with the client of @grpc/grpc-js that OpenTelemetry's exporter uses. Not through
 * `createOtlpGrpcExportDelegate`: that takes no channel options, and a channel's own reconnect backoff grows to 2 minutes,
 * which the spans of a Collector that is back would wait for.
 *
 * @module
 */
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { ResolvedExport } from '../config/resolved.js';
import { version } from '../version.js';
import { acceptedBy, retryDelayOf } from './otlp-response.js';
import type { SendResult, Transport } from './transport.js';

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const DEFAULT_URL = 'http://localhost:4317';
const GZIP = 2;

/** https://opentelemetry.io/docs/specs/otlp/#failures; RESOURCE_EXHAUSTED only where RetryInfo says when. */
const RETRYABLE: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

const asIs = (bytes: Buffer) => bytes;

export function createGrpcTransport(target: ResolvedExport): Transport {
  const { address, secure } = addressOf(target);
  const channelCredentials = secure ? tlsCredentials(target.tls) : credentials.createInsecure();
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(target.headers)) metadata.set(name, value);
  let client = connect(address, channelCredentials, target.compression);

  return {
    send(request) {
      return new Promise((resolve) => {
        const bytes = Buffer.from(request.buffer, request.byteOffset, request.length);
        const deadline = Date.now() + target.timeoutMs;
        client.makeUnaryRequest(EXPORT, asIs, asIs, bytes, metadata, { deadline }, (error, response) => {
          if (error?.code === status.DEADLINE_EXCEEDED) {
            // The connection may be half open: what comes next gets a new one.
            client.close();
            client = connect(address, channelCredentials, target.compression);
          }
          resolve(error ? failed(error) : acceptedBy(response ?? Buffer.alloc(0)));
        });
      });
    },
    close: () => client.close(),
  };
}

function connect(address: string, channelCredentials: ChannelCredentials, compression: 'none' | 'gzip'): Client {
  return new Client(address, channelCredentials, {
    'grpc.primary_user_agent': `forktrace/${version}`,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5000,
    'grpc.use_local_subchannel_pool': 1,
    ...(compression === 'gzip' && { 'grpc.default_compression_algorithm': GZIP }),
  });
}

function failed(error: ServiceError): SendResult {
  const reason = `${status[error.code]}: ${error.details}`;
  const details = error.metadata.get('grpc-status-details-bin')[0];
  const afterMs = typeof details === 'object' ? retryDelayOf(details) : undefined;
  const retry = RETRYABLE.has(error.code) || (error.code === status.RESOURCE_EXHAUSTED && afterMs !== undefined);
  return retry ? { outcome: 'retry', afterMs, reason } : { outcome: 'refused', reason };
}

/** gRPC's target for an OTLP endpoint; without a scheme it is the target itself, and secure unless said otherwise. */
function addressOf({ url = DEFAULT_URL, tls }: ResolvedExport): { address: string; secure: boolean } {
  const match = /^(https?):\/\/([^/]*)/.exec(url);
  if (!match) return { address: url, secure: tls.insecure !== true };
  const [, scheme, host] = match;
  const secure = scheme === 'https';
  const hasPort = /:\d+$/.test(host!);
  return { address: hasPort ? host! : `${host}:${secure ? 443 : 80}`, secure };
}

function tlsCredentials({ ca, cert, key }: ResolvedExport['tls']): ChannelCredentials {
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  return credentials.createSsl(pem(ca), pem(key), pem(cert));
}
