/**
 * OTLP/JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. How each field is written as
 * protobuf stands in otlp.ts, whose tables the compiler holds against these types.
 *
 * @module
 */

/** At most one member is there; none is OTLP's null. */
export interface AnyValue {
  stringValue?: string;
  boolValue?: boolean;
  /** Decimal digits. */
  intValue?: string;
  doubleValue?: number | 'NaN' | 'Infinity' | '-Infinity';
  arrayValue?: { values?: AnyValue[] };
  kvlistValue?: { values?: KeyValue[] };
  /** Base64. */
  bytesValue?: string;
}

export interface KeyValue {
  key?: string;
  value?: AnyValue;
}

export interface OtlpEvent {
  timeUnixNano?: string;
  name?: string;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
}

export interface OtlpLink {
  traceId?: string;
  spanId?: string;
  traceState?: string;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
  flags?: number;
}

export interface OtlpStatus {
  message?: string;
  /** 0 unset, 1 ok, 2 error. */
  code?: number;
}

export interface OtlpSpan {
  traceId?: string;
  spanId?: string;
  traceState?: string;
  parentSpanId?: string;
  name?: string;
  kind?: number;
  startTimeUnixNano?: string;
  endTimeUnixNano?: string;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
  events?: OtlpEvent[];
  droppedEventsCount?: number;
  links?: OtlpLink[];
  droppedLinksCount?: number;
  status?: OtlpStatus;
  flags?: number;
}

export interface OtlpScope {
  name?: string;
  version?: string;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
}

export interface OtlpResource {
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
}

export interface ScopeSpans {
  scope?: OtlpScope;
  spans?: OtlpSpan[];
  schemaUrl?: string;
}

export interface ResourceSpans {
  resource?: OtlpResource;
  scopeSpans?: ScopeSpans[];
  schemaUrl?: string;
}

export interface TracesData {
  resourceSpans?: ResourceSpans[];
}

/** What has been rejected of a request that was taken; `rejectedSpans` and its like are decimal digits. */
export interface PartialSuccess<Rejected extends string> {
  partialSuccess?: { [Field in Rejected]?: string } & { errorMessage?: string };
}

export interface OtlpLogRecord {
  timeUnixNano?: string;
  observedTimeUnixNano?: string;
  /** 1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–20 error, 21–24 fatal. */
  severityNumber?: number;
  severityText?: string;
  body?: AnyValue;
  attributes?: KeyValue[];
  droppedAttributesCount?: number;
  flags?: number;
  traceId?: string;
  spanId?: string;
  eventName?: string;
}

export interface ScopeLogs {
  scope?: OtlpScope;
  logRecords?: OtlpLogRecord[];
  schemaUrl?: string;
}

export interface ResourceLogs {
  resource?: OtlpResource;
  scopeLogs?: ScopeLogs[];
  schemaUrl?: string;
}

export interface LogsData {
  resourceLogs?: ResourceLogs[];
}

export interface NumberDataPoint {
  startTimeUnixNano?: string;
  timeUnixNano?: string;
  asDouble?: number | string;
  asInt?: string;
  attributes?: KeyValue[];
}

export interface OtlpGauge {
  dataPoints?: NumberDataPoint[];
}

export interface OtlpSum {
  dataPoints?: NumberDataPoint[];
  /** 1 delta, 2 cumulative; as a histogram's. */
  aggregationTemporality?: number;
  isMonotonic?: boolean;
}

export interface HistogramDataPoint {
  startTimeUnixNano?: string;
  timeUnixNano?: string;
  count?: string;
  sum?: number | string;
  bucketCounts?: string[];
  /** Upper ones: one less than there are buckets. */
  explicitBounds?: (number | string)[];
  attributes?: KeyValue[];
}

export interface OtlpHistogram {
  dataPoints?: HistogramDataPoint[];
  aggregationTemporality?: number;
}

/** Bucket `n` has values up to `2 ** ((offset + n + 1) / 2 ** scale)`. */
export interface ExponentialBuckets {
  offset?: number;
  bucketCounts?: string[];
}

export interface ExponentialHistogramDataPoint {
  startTimeUnixNano?: string;
  timeUnixNano?: string;
  count?: string;
  sum?: number | string;
  scale?: number;
  zeroCount?: string;
  positive?: ExponentialBuckets;
  negative?: ExponentialBuckets;
  attributes?: KeyValue[];
}

export interface OtlpExponentialHistogram {
  dataPoints?: ExponentialHistogramDataPoint[];
  aggregationTemporality?: number;
}

export interface ValueAtQuantile {
  quantile?: number | string;
  value?: number | string;
}

export interface SummaryDataPoint {
  startTimeUnixNano?: string;
  timeUnixNano?: string;
  count?: string;
  sum?: number | string;
  quantileValues?: ValueAtQuantile[];
  attributes?: KeyValue[];
}

/** Always cumulative. */
export interface OtlpSummary {
  dataPoints?: SummaryDataPoint[];
}

/** One kind of data. */
export interface OtlpMetric {
  name?: string;
  description?: string;
  unit?: string;
  gauge?: OtlpGauge;
  sum?: OtlpSum;
  histogram?: OtlpHistogram;
  exponentialHistogram?: OtlpExponentialHistogram;
  summary?: OtlpSummary;
}

export interface ScopeMetrics {
  metrics?: OtlpMetric[];
}

export interface ResourceMetrics {
  resource?: OtlpResource;
  scopeMetrics?: ScopeMetrics[];
}

export interface MetricsData {
  resourceMetrics?: ResourceMetrics[];
}
