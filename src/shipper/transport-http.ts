/**
 * OTLP over HTTP with protobuf, through OpenTelemetry's own transport, which retries within `timeoutMs` by itself.
 *
 * @module
 */
import diagnostics from 'node:diagnostics_channel';
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { ResolvedExport } from '../config/resolved.js';
import {
  CompressionAlgorithm,
  createOtlpHttpExportDelegate,
  ExportResultCode,
  httpAgentFactoryFromOptions,
  OTLPExporterError,
} from '../sdk/http-export.js';
import { version } from '../version.js';
import { acceptedBy } from './otlp-response.js';
import { ACCEPTED, type SendResult, type Transport } from './transport.js';

const DEFAULT_URL = 'http://localhost:4318/v1/traces';
/** Published by node:http for each response that a client gets. */
const RESPONSE_CHANNEL = 'http.client.response.finish';

/** One export on its way. */
interface Attempt {
  request: Uint8Array;
  result: SendResult;
}

export async function createHttpTransport(target: ResolvedExport): Promise<Transport> {
  const { ca, cert, key, insecure } = target.tls;
  const agentFactory = httpAgentFactoryFromOptions({
    keepAlive: true,
    maxSockets: 1,
    ca,
    cert,
    key,
    ...(insecure && { rejectUnauthorized: false }),
  });
  const url = target.url ?? DEFAULT_URL;
  const agent: Agent = await agentFactory(new URL(url).protocol);

  // The transport keeps a Retry-After that is longer than `timeoutMs` to itself: it is read off the response.
  let retryAfter: string | undefined;
  const onResponse = (message: unknown) => {
    const { request, response } = message as { request: ClientRequest & { agent: Agent }; response: IncomingMessage };
    if (request.agent === agent) retryAfter = response.headers['retry-after'];
  };
  diagnostics.subscribe(RESPONSE_CHANNEL, onResponse);

  let current: Attempt | undefined;
  const delegate = createOtlpHttpExportDelegate<Attempt, object>(
    {
      url,
      headers: async () => ({ 'Content-Type': 'application/x-protobuf', ...target.headers }),
      compression: target.compression === 'gzip' ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
      timeoutMillis: target.timeoutMs,
      concurrencyLimit: 1,
      agentFactory: () => agent,
      userAgent: `forktrace/${version}`,
    },
    {
      serializeRequest: ({ request }) => request,
      deserializeResponse(bytes) {
        if (current) current.result = acceptedBy(bytes);
        // What was rejected is counted and reported by the shipper, so not by the delegate too.
        return {};
      },
    },
    'otlp_http_span_exporter',
    { name: 'span', countItems: () => 0 },
    undefined,
  );

  return {
    send(request) {
      const attempt: Attempt = { request, result: ACCEPTED };
      current = attempt;
      retryAfter = undefined;
      return new Promise((resolve) => {
        delegate.export(attempt, ({ code, error }) => {
          resolve(code === ExportResultCode.SUCCESS ? attempt.result : failed(error, retryAfter));
        });
      });
    },
    close() {
      diagnostics.unsubscribe(RESPONSE_CHANNEL, onResponse);
      agent.destroy();
    },
  };
}

/** The transport gives an error a code only where the endpoint's answer is final: https://opentelemetry.io/docs/specs/otlp/#failures-1 */
function failed(error: Error | undefined, retryAfter: string | undefined): SendResult {
  const code = error instanceof OTLPExporterError ? error.code : undefined;
  if (typeof code === 'number') return { outcome: 'refused', reason: `HTTP ${code} ${error?.message ?? ''}`.trim() };
  return { outcome: 'retry', afterMs: millisecondsOf(retryAfter), reason: error?.message || String(error) };
}

/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3). */
function millisecondsOf(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : new Date(retryAfter).getTime() - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
