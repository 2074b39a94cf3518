import { decode } from '../../wire/decode.js';
import { encode } from '../../wire/encode.js';
import { LogsRequest, MetricsRequest, TracesRequest } from '../../wire/otlp.js';
import type { LogStore } from '../store/log-store.js';
import type { MetricStore } from '../store/metric-store.js';
import type { TraceStore } from '../store/trace-store.js';

/** What a receiver hands requests to. Methods throw MalformedProtobuf or MalformedJson. */
export interface Ingest {
  traces(request: Buffer): void;
  metrics(request: Buffer): void;
  logs(request: Buffer): void;
  tracesJson(request: unknown): void;
  metricsJson(request: unknown): void;
  logsJson(request: unknown): void;
  /** Requests that were malformed. */
  refused: number;
}

/** @param keep sees each trace request that was taken */
export function createIngest(
  store: TraceStore,
  metrics: MetricStore,
  logs: LogStore,
  keep?: (request: Buffer) => void,
): Ingest {
  /** Counts what `take` refuses. */
  const counted =
    <Request>(take: (request: Request) => void) =>
    (request: Request) => {
      try {
        take(request);
      } catch (error) {
        ingest.refused++;
        throw error;
      }
    };
  const traces = (request: Buffer) => {
    if (store.ingest(request) > 0) keep?.(request);
  };
  const metricsBytes = (request: Buffer) => metrics.ingest(decode(request, MetricsRequest));
  const ingest: Ingest = {
    refused: 0,
    traces: counted(traces),
    metrics: counted(metricsBytes),
    logs: counted((request) => logs.ingest(request)),
    tracesJson: counted((request) => traces(encode(request, TracesRequest))),
    metricsJson: counted((request) => metricsBytes(encode(request, MetricsRequest))),
    logsJson: counted((request) => logs.ingest(encode(request, LogsRequest))),
  };
  return ingest;
}
