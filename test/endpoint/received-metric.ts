import { type PlainAttributes, plainAttributes, type RawMessage, toBigInt } from './decode.js';
import { type ReceivedScope, receivedScope } from './received-span.js';

export interface ReceivedPoint {
  attributes: PlainAttributes;
  start: bigint;
  time: bigint;
  /** Of a gauge or sum. */
  value: number | undefined;
  /** Of a histogram. */
  count: number | undefined;
  sum: number | undefined;
  bounds: number[];
  bucketCounts: number[];
}

/** One metric of one export, with the resource and scope that it came under. */
export interface ReceivedMetric {
  resource: PlainAttributes;
  scope: ReceivedScope;
  name: string;
  unit: string;
  description: string;
  type: 'gauge' | 'sum' | 'histogram' | 'exponentialHistogram' | 'summary';
  points: ReceivedPoint[];
}

const types = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;

/** The metrics of a decoded `ExportMetricsServiceRequest`, in order. */
export function flattenMetrics(request: RawMessage): ReceivedMetric[] {
  return request.resourceMetrics.flatMap((resourceMetrics: RawMessage) => {
    const resource = plainAttributes(resourceMetrics.resource?.attributes ?? []);
    return resourceMetrics.scopeMetrics.flatMap((scopeMetrics: RawMessage) => {
      const scope = receivedScope(scopeMetrics.scope);
      return scopeMetrics.metrics.map((metric: RawMessage) => {
        const type = types.find((each) => metric[each]);
        if (!type) throw new Error(`metric ${metric.name} has no data`);
        const { name = '', unit = '', description = '' } = metric;
        return { resource, scope, name, unit, description, type, points: metric[type].dataPoints.map(receivedPoint) };
      });
    });
  });
}

function receivedPoint(point: RawMessage): ReceivedPoint {
  const optional = (value: RawMessage) =>
    value === null || value === undefined ? undefined : Number(value.toString());
  return {
    attributes: plainAttributes(point.attributes),
    start: toBigInt(point.startTimeUnixNano),
    time: toBigInt(point.timeUnixNano),
    value: optional(point.asDouble) ?? optional(point.asInt),
    count: optional(point.count),
    sum: optional(point.sum),
    bounds: [...(point.explicitBounds ?? [])],
    bucketCounts: (point.bucketCounts ?? []).map((count: RawMessage) => Number(count.toString())),
  };
}
