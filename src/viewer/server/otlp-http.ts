/**
 * OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { encode } from '../../wire/encode.js';
import { RpcStatus } from '../../wire/otlp.js';
import type { Ingest } from './ingest.js';
import { HttpError, readBody } from './request-body.js';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
const INVALID_ARGUMENT = 3;

export function isOtlpPath(path: string): boolean {
  return path === '/v1/traces' || path === '/v1/metrics' || path === '/v1/logs';
}

/** Answers a request to one of {@link isOtlpPath}'s paths. */
export async function serveOtlp(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  ingest: Ingest,
): Promise<void> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  try {
    if (request.method !== 'POST') throw new HttpError(405, `${request.method}, expected POST`);
    if (type !== PROTOBUF && type !== JSON_TYPE) {
      throw new HttpError(
        415,
        `Content-Type ${JSON.stringify(type.slice(0, 80))}, expected ${PROTOBUF} or ${JSON_TYPE}`,
      );
    }
    const body = await readBody(request);
    try {
      take(body, type, path, ingest);
    } catch (error) {
      throw new HttpError(400, (error as Error).message);
    }
    response.writeHead(200, { 'content-type': type });
    response.end(type === JSON_TYPE ? '{}' : '');
  } catch (error) {
    const status = error instanceof HttpError ? error.status : 500;
    const answer = { code: INVALID_ARGUMENT, message: (error as Error).message };
    const asJson = type !== PROTOBUF;
    response.writeHead(status, {
      'content-type': asJson ? JSON_TYPE : PROTOBUF,
      // The rest of a refused body is not worth reading.
      ...(request.complete ? {} : { connection: 'close' }),
      ...(status === 405 ? { allow: 'POST' } : {}),
      ...(status === 503 ? { 'retry-after': '1' } : {}),
    });
    response.end(asJson ? JSON.stringify(answer) : encode(answer, RpcStatus));
  }
}

function take(body: Buffer, type: string, path: string, ingest: Ingest): void {
  if (type === PROTOBUF) {
    if (path === '/v1/traces') ingest.traces(body);
    else if (path === '/v1/logs') ingest.logs(body);
    else ingest.metrics(body);
    return;
  }
  const json = JSON.parse(body.toString('utf8')) as unknown;
  if (path === '/v1/traces') ingest.tracesJson(json);
  else if (path === '/v1/logs') ingest.logsJson(json);
  else ingest.metricsJson(json);
}
