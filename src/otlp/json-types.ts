/**
 * OTLP/JSON, the shape in which the viewer shows and copies what it holds: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 *
 * @module
 */
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
  flags?: number;
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
  status?: { message?: string; code?: number };
  flags?: number;
}

export interface OtlpScope {
  name?: string;
  version?: string;
  attributes?: KeyValue[];
}

export interface OtlpResource {
  attributes?: KeyValue[];
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

export interface NumberDataPoint {
  timeUnixNano?: string;
  asDouble?: number | string;
  asInt?: string;
  attributes?: KeyValue[];
}

export interface MetricsData {
  resourceMetrics?: {
    resource?: OtlpResource;
    scopeMetrics?: {
      metrics?: {
        name?: string;
        gauge?: { dataPoints?: NumberDataPoint[] };
        sum?: { dataPoints?: NumberDataPoint[] };
      }[];
    }[];
  }[];
}
