/**
 * OTLP's messages, opentelemetry-proto 1.x: `common/v1`, `resource/v1`, `trace/v1`, `logs/v1`, `metrics/v1`
 * as far as we read it, `collector/…/v1`; and of google.rpc what a server answers with. Field numbers stand
 * here and nowhere else.
 *
 * @module
 */
import { define, type Message, message } from './message.js';
import type * as Json from './otlp-json.js';

export const AnyValue = message<Json.AnyValue>('AnyValue');
export const KeyValue = message<Json.KeyValue>('KeyValue', {
  key: [1, 'string'],
  value: [2, AnyValue],
});
export const ArrayValue = message<NonNullable<Json.AnyValue['arrayValue']>>('ArrayValue', {
  values: [1, AnyValue, 'repeated'],
});
export const KeyValueList = message<NonNullable<Json.AnyValue['kvlistValue']>>('KeyValueList', {
  values: [1, KeyValue, 'repeated'],
});
define(AnyValue, {
  stringValue: [1, 'string', 'oneof'],
  boolValue: [2, 'bool', 'oneof'],
  intValue: [3, 'int64', 'oneof'],
  doubleValue: [4, 'double', 'oneof'],
  arrayValue: [5, ArrayValue, 'oneof'],
  kvlistValue: [6, KeyValueList, 'oneof'],
  bytesValue: [7, 'bytes', 'oneof'],
});
export const Resource = message<Json.OtlpResource>('Resource', {
  attributes: [1, KeyValue, 'repeated'],
  droppedAttributesCount: [2, 'uint32'],
});
export const Scope = message<Json.OtlpScope>('InstrumentationScope', {
  name: [1, 'string'],
  version: [2, 'string'],
  attributes: [3, KeyValue, 'repeated'],
  droppedAttributesCount: [4, 'uint32'],
});

export const Event = message<Json.OtlpEvent>('Event', {
  timeUnixNano: [1, 'fixed64'],
  name: [2, 'string'],
  attributes: [3, KeyValue, 'repeated'],
  droppedAttributesCount: [4, 'uint32'],
});
export const Link = message<Json.OtlpLink>('Link', {
  traceId: [1, 'trace-id'],
  spanId: [2, 'span-id'],
  traceState: [3, 'string'],
  attributes: [4, KeyValue, 'repeated'],
  droppedAttributesCount: [5, 'uint32'],
  flags: [6, 'fixed32'],
});
export const Status = message<Json.OtlpStatus>('Status', {
  message: [2, 'string'],
  code: [3, 'uint32'],
});
export const Span = message<Json.OtlpSpan>('Span', {
  traceId: [1, 'trace-id'],
  spanId: [2, 'span-id'],
  traceState: [3, 'string'],
  parentSpanId: [4, 'span-id'],
  name: [5, 'string'],
  kind: [6, 'uint32'],
  startTimeUnixNano: [7, 'fixed64'],
  endTimeUnixNano: [8, 'fixed64'],
  attributes: [9, KeyValue, 'repeated'],
  droppedAttributesCount: [10, 'uint32'],
  events: [11, Event, 'repeated'],
  droppedEventsCount: [12, 'uint32'],
  links: [13, Link, 'repeated'],
  droppedLinksCount: [14, 'uint32'],
  status: [15, Status],
  flags: [16, 'fixed32'],
});
export const ScopeSpans = message<Json.ScopeSpans>('ScopeSpans', {
  scope: [1, Scope],
  spans: [2, Span, 'repeated'],
  schemaUrl: [3, 'string'],
});
export const ResourceSpans = message<Json.ResourceSpans>('ResourceSpans', {
  resource: [1, Resource],
  scopeSpans: [2, ScopeSpans, 'repeated'],
  schemaUrl: [3, 'string'],
});
/** Which has the same fields as `TracesData`. */
export const TracesRequest = message<Json.TracesData>('ExportTraceServiceRequest', {
  resourceSpans: [1, ResourceSpans, 'repeated'],
});
export const TracesResponse = responseOf('ExportTraceServiceResponse', 'rejectedSpans');

export const LogRecord = message<Json.OtlpLogRecord>('LogRecord', {
  timeUnixNano: [1, 'fixed64'],
  severityNumber: [2, 'uint32'],
  severityText: [3, 'string'],
  body: [5, AnyValue],
  attributes: [6, KeyValue, 'repeated'],
  droppedAttributesCount: [7, 'uint32'],
  flags: [8, 'fixed32'],
  traceId: [9, 'trace-id'],
  spanId: [10, 'span-id'],
  observedTimeUnixNano: [11, 'fixed64'],
  eventName: [12, 'string'],
});
export const ScopeLogs = message<Json.ScopeLogs>('ScopeLogs', {
  scope: [1, Scope],
  logRecords: [2, LogRecord, 'repeated'],
  schemaUrl: [3, 'string'],
});
export const ResourceLogs = message<Json.ResourceLogs>('ResourceLogs', {
  resource: [1, Resource],
  scopeLogs: [2, ScopeLogs, 'repeated'],
  schemaUrl: [3, 'string'],
});
/** Which has the same fields as `LogsData`. */
export const LogsRequest = message<Json.LogsData>('ExportLogsServiceRequest', {
  resourceLogs: [1, ResourceLogs, 'repeated'],
});
/** @public */
export const LogsResponse = responseOf('ExportLogsServiceResponse', 'rejectedLogRecords');

const NumberDataPoint = message<Json.NumberDataPoint>('NumberDataPoint', {
  startTimeUnixNano: [2, 'fixed64'],
  timeUnixNano: [3, 'fixed64'],
  asDouble: [4, 'double', 'oneof'],
  asInt: [6, 'sfixed64', 'oneof'],
  attributes: [7, KeyValue, 'repeated'],
});
const Gauge = message<Json.OtlpGauge>('Gauge', { dataPoints: [1, NumberDataPoint, 'repeated'] });
const Sum = message<Json.OtlpSum>('Sum', {
  dataPoints: [1, NumberDataPoint, 'repeated'],
  aggregationTemporality: [2, 'uint32'],
  isMonotonic: [3, 'bool'],
});
const HistogramDataPoint = message<Json.HistogramDataPoint>('HistogramDataPoint', {
  startTimeUnixNano: [2, 'fixed64'],
  timeUnixNano: [3, 'fixed64'],
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  bucketCounts: [6, 'fixed64', 'repeated'],
  explicitBounds: [7, 'double', 'repeated'],
  attributes: [9, KeyValue, 'repeated'],
});
const Histogram = message<Json.OtlpHistogram>('Histogram', {
  dataPoints: [1, HistogramDataPoint, 'repeated'],
  aggregationTemporality: [2, 'uint32'],
});
const ExponentialBuckets = message<Json.ExponentialBuckets>('Buckets', {
  offset: [1, 'sint32'],
  bucketCounts: [2, 'int64', 'repeated'],
});
const ExponentialHistogramDataPoint = message<Json.ExponentialHistogramDataPoint>('ExponentialHistogramDataPoint', {
  attributes: [1, KeyValue, 'repeated'],
  startTimeUnixNano: [2, 'fixed64'],
  timeUnixNano: [3, 'fixed64'],
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  scale: [6, 'sint32'],
  zeroCount: [7, 'fixed64'],
  positive: [8, ExponentialBuckets],
  negative: [9, ExponentialBuckets],
});
const ExponentialHistogram = message<Json.OtlpExponentialHistogram>('ExponentialHistogram', {
  dataPoints: [1, ExponentialHistogramDataPoint, 'repeated'],
  aggregationTemporality: [2, 'uint32'],
});
const ValueAtQuantile = message<Json.ValueAtQuantile>('ValueAtQuantile', {
  quantile: [1, 'double'],
  value: [2, 'double'],
});
const SummaryDataPoint = message<Json.SummaryDataPoint>('SummaryDataPoint', {
  startTimeUnixNano: [2, 'fixed64'],
  timeUnixNano: [3, 'fixed64'],
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  quantileValues: [6, ValueAtQuantile, 'repeated'],
  attributes: [7, KeyValue, 'repeated'],
});
const Summary = message<Json.OtlpSummary>('Summary', { dataPoints: [1, SummaryDataPoint, 'repeated'] });
const Metric = message<Json.OtlpMetric>('Metric', {
  name: [1, 'string'],
  description: [2, 'string'],
  unit: [3, 'string'],
  gauge: [5, Gauge, 'oneof'],
  sum: [7, Sum, 'oneof'],
  histogram: [9, Histogram, 'oneof'],
  exponentialHistogram: [10, ExponentialHistogram, 'oneof'],
  summary: [11, Summary, 'oneof'],
});
const ScopeMetrics = message<Json.ScopeMetrics>('ScopeMetrics', { metrics: [2, Metric, 'repeated'] });
const ResourceMetrics = message<Json.ResourceMetrics>('ResourceMetrics', {
  resource: [1, Resource],
  scopeMetrics: [2, ScopeMetrics, 'repeated'],
});
export const MetricsRequest = message<Json.MetricsData>('ExportMetricsServiceRequest', {
  resourceMetrics: [1, ResourceMetrics, 'repeated'],
});
/** @public */
export const MetricsResponse = responseOf('ExportMetricsServiceResponse', 'rejectedDataPoints');

function responseOf<Rejected extends string>(name: string, rejected: Rejected): Message<Json.PartialSuccess<Rejected>> {
  const partial = message<{ errorMessage?: string }>('PartialSuccess', {
    [rejected as never]: [1, 'int64'],
    errorMessage: [2, 'string'],
  });
  return message<{ partialSuccess?: object }>(name, { partialSuccess: [1, partial] });
}

/** `google.protobuf.Any` */
const Any = message<{ typeUrl?: string; value?: string }>('Any', { typeUrl: [1, 'string'], value: [2, 'bytes'] });
/** `google.rpc.Status`: what a server answers to a request that it refuses. */
export const RpcStatus = message<{ code?: number; message?: string; details?: { typeUrl?: string; value?: string }[] }>(
  'google.rpc.Status',
  { code: [1, 'uint32'], message: [2, 'string'], details: [3, Any, 'repeated'] },
);
const Duration = message<{ seconds?: string; nanos?: number }>('Duration', {
  seconds: [1, 'int64'],
  nanos: [2, 'uint32'],
});
/** `google.rpc.RetryInfo`, one of the details of an {@link RpcStatus}. */
export const RetryInfo = message<{ retryDelay?: { seconds?: string; nanos?: number } }>('google.rpc.RetryInfo', {
  retryDelay: [1, Duration],
});
