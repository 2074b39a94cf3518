/**
 * The OTLP messages that the viewer takes, as tables: opentelemetry-proto 1.x, `trace/v1`, `metrics/v1`, `common/v1`,
 * `resource/v1`. Names are those of OTLP/JSON.
 *
 * @module
 */

/** How a field's value is written in protobuf and in OTLP/JSON. */
export type FieldType =
  | 'string'
  | 'bool'
  /** Enums and small integers: a JSON number. */
  | 'uint32'
  | 'int64'
  | 'fixed32'
  /** A JSON string of decimal digits. */
  | 'fixed64'
  | 'sfixed64'
  | 'double'
  /** Trace and span ids: hex in OTLP/JSON, unlike protobuf's own JSON. */
  | 'id'
  /** Base64 in JSON. */
  | 'bytes'
  | Message;

export interface Field {
  number: number;
  name: string;
  type: FieldType;
  repeated: boolean;
}

export interface Message {
  name: string;
  byNumber: (Field | undefined)[];
  byName: Map<string, Field>;
}

function message(name: string): Message {
  return { name, byNumber: [], byName: new Map() };
}

function define(target: Message, fields: Record<number, [name: string, type: FieldType, repeated?: 'repeated']>): void {
  for (const [key, [name, type, repeated]] of Object.entries(fields)) {
    const field = { number: Number(key), name, type, repeated: repeated !== undefined };
    target.byNumber[field.number] = field;
    target.byName.set(name, field);
  }
}

export const AnyValue = message('AnyValue');
const ArrayValue = message('ArrayValue');
const KeyValueList = message('KeyValueList');
export const KeyValue = message('KeyValue');
export const Resource = message('Resource');
export const Scope = message('InstrumentationScope');
const Event = message('Event');
const Link = message('Link');
export const Status = message('Status');
export const Span = message('Span');
export const ScopeSpans = message('ScopeSpans');
export const ResourceSpans = message('ResourceSpans');
/** `ExportTraceServiceRequest`, which has the same fields as `TracesData`. */
export const TracesRequest = message('ExportTraceServiceRequest');

define(AnyValue, {
  1: ['stringValue', 'string'],
  2: ['boolValue', 'bool'],
  3: ['intValue', 'int64'],
  4: ['doubleValue', 'double'],
  5: ['arrayValue', ArrayValue],
  6: ['kvlistValue', KeyValueList],
  7: ['bytesValue', 'bytes'],
});
define(ArrayValue, { 1: ['values', AnyValue, 'repeated'] });
define(KeyValueList, { 1: ['values', KeyValue, 'repeated'] });
define(KeyValue, { 1: ['key', 'string'], 2: ['value', AnyValue] });
define(Resource, { 1: ['attributes', KeyValue, 'repeated'], 2: ['droppedAttributesCount', 'uint32'] });
define(Scope, {
  1: ['name', 'string'],
  2: ['version', 'string'],
  3: ['attributes', KeyValue, 'repeated'],
  4: ['droppedAttributesCount', 'uint32'],
});
define(Event, {
  1: ['timeUnixNano', 'fixed64'],
  2: ['name', 'string'],
  3: ['attributes', KeyValue, 'repeated'],
  4: ['droppedAttributesCount', 'uint32'],
});
define(Link, {
  1: ['traceId', 'id'],
  2: ['spanId', 'id'],
  3: ['traceState', 'string'],
  4: ['attributes', KeyValue, 'repeated'],
  5: ['droppedAttributesCount', 'uint32'],
  6: ['flags', 'fixed32'],
});
define(Status, { 2: ['message', 'string'], 3: ['code', 'uint32'] });
define(Span, {
  1: ['traceId', 'id'],
  2: ['spanId', 'id'],
  3: ['traceState', 'string'],
  4: ['parentSpanId', 'id'],
  5: ['name', 'string'],
  6: ['kind', 'uint32'],
  7: ['startTimeUnixNano', 'fixed64'],
  8: ['endTimeUnixNano', 'fixed64'],
  9: ['attributes', KeyValue, 'repeated'],
  10: ['droppedAttributesCount', 'uint32'],
  11: ['events', Event, 'repeated'],
  12: ['droppedEventsCount', 'uint32'],
  13: ['links', Link, 'repeated'],
  14: ['droppedLinksCount', 'uint32'],
  15: ['status', Status],
  16: ['flags', 'fixed32'],
});
define(ScopeSpans, { 1: ['scope', Scope], 2: ['spans', Span, 'repeated'], 3: ['schemaUrl', 'string'] });
define(ResourceSpans, {
  1: ['resource', Resource],
  2: ['scopeSpans', ScopeSpans, 'repeated'],
  3: ['schemaUrl', 'string'],
});
define(TracesRequest, { 1: ['resourceSpans', ResourceSpans, 'repeated'] });

const NumberPoint = message('NumberDataPoint');
const Gauge = message('Gauge');
const Sum = message('Sum');
const Metric = message('Metric');
const ScopeMetrics = message('ScopeMetrics');
const ResourceMetrics = message('ResourceMetrics');
/** `ExportMetricsServiceRequest`, gauges and sums only: the viewer shows nothing of histograms. */
export const MetricsRequest = message('ExportMetricsServiceRequest');

define(NumberPoint, {
  3: ['timeUnixNano', 'fixed64'],
  4: ['asDouble', 'double'],
  6: ['asInt', 'sfixed64'],
  7: ['attributes', KeyValue, 'repeated'],
});
define(Gauge, { 1: ['dataPoints', NumberPoint, 'repeated'] });
define(Sum, { 1: ['dataPoints', NumberPoint, 'repeated'] });
define(Metric, { 1: ['name', 'string'], 5: ['gauge', Gauge], 7: ['sum', Sum] });
define(ScopeMetrics, { 2: ['metrics', Metric, 'repeated'] });
define(ResourceMetrics, { 1: ['resource', Resource], 2: ['scopeMetrics', ScopeMetrics, 'repeated'] });
define(MetricsRequest, { 1: ['resourceMetrics', ResourceMetrics, 'repeated'] });

/** What an OTLP/HTTP server answers to a request that it refuses. */
export const RpcStatus = message('google.rpc.Status');
define(RpcStatus, { 1: ['code', 'uint32'], 2: ['message', 'string'] });
