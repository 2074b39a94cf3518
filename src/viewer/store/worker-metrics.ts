import {
  EVENTLOOP_UTILIZATION,
  PROCESS_PID,
  SERVICE_INSTANCE_ID,
  SPANS_JOURNALED,
  SPANS_LOST,
} from '../../wire/conventions.js';
import type { MetricsData, NumberDataPoint, OtlpResource } from '../../wire/otlp-json.js';
import { asNumber, scalar } from './process-resource.js';

/** What the Cluster page shows of one worker's metrics, by instrument name. */
const SHOWN = new Set<string>([EVENTLOOP_UTILIZATION, SPANS_JOURNALED, SPANS_LOST]);

/** Processes remembered; the longest silent goes first. */
const MAX_PROCESSES = 1024;

/** The newest value of each shown instrument, by `service.instance.id`. */
export class WorkerMetrics {
  readonly #byInstance = new Map<string, Map<string, number>>();
  version = 0;

  ingest(request: MetricsData): void {
    for (const { resource, scopeMetrics = [] } of request.resourceMetrics ?? []) {
      const instance = instanceOf(resource);
      for (const { metrics = [] } of scopeMetrics) {
        for (const { name = '', gauge, sum } of metrics) {
          if (SHOWN.has(name)) this.#set(instance, name, total((gauge ?? sum)?.dataPoints ?? []));
        }
      }
    }
    this.version++;
  }

  of(instanceId: string): ReadonlyMap<string, number> | undefined {
    return this.#byInstance.get(instanceId);
  }

  #set(instance: string, name: string, value: number): void {
    const values = this.#byInstance.get(instance) ?? new Map<string, number>();
    this.#byInstance.delete(instance);
    this.#byInstance.set(instance, values);
    values.set(name, value);
    if (this.#byInstance.size > MAX_PROCESSES) this.#byInstance.delete(this.#byInstance.keys().next().value as string);
  }
}

function instanceOf(resource: OtlpResource | undefined): string {
  const get = (key: string) => scalar(resource?.attributes?.find((attribute) => attribute.key === key)?.value);
  const pid = asNumber(get(PROCESS_PID));
  return String(get(SERVICE_INSTANCE_ID) ?? (pid === undefined ? '' : `pid ${pid}`));
}

/** Points of one instrument differ by attributes (heap spaces, routes); the page shows their sum. */
function total(points: NumberDataPoint[]): number {
  return points.reduce((sum, point) => sum + Number(point.asInt ?? point.asDouble ?? 0), 0);
}
