import type { ResolvedExport } from '../config/resolved.js';
import { numberOf } from '../number-of.js';
import { printable } from '../printable.js';
import type { PushMetricExporter } from '../sdk/metrics.js';
import { endpointOf } from '../shipper/endpoint-url.js';
import { LossReport, warn } from '../warn.js';

/** The answers of an endpoint that takes only traces: gRPC's UNIMPLEMENTED, HTTP's 404. */
const NOT_THERE: readonly unknown[] = [12, 404];

/** Wraps an exporter so that failures are reported as warnings. The SDK reports them only through `diag`. */
export function reportedMetrics(exporter: PushMetricExporter, target: ResolvedExport): PushMetricExporter {
  const name = endpointOf(target)?.name ?? target.to;
  const failures = new LossReport(
    'FORKTRACE_METRICS_FAILED',
    (exports, reason) => `${numberOf(exports, 'export')} of metrics to ${name} failed: ${reason}.`,
  );
  let isThere = true;
  const send = exporter.export.bind(exporter);
  exporter.export = (metrics, callback) =>
    send(metrics, (result) => {
      const { error } = result;
      if (error && NOT_THERE.includes((error as { code?: unknown }).code)) {
        if (isThere) {
          warn(
            'FORKTRACE_METRICS_FAILED',
            `${name} accepts no metrics (${printable(error.message)}). Add a metrics pipeline there, or send metrics elsewhere (metrics.url). This warning is given once.`,
          );
        }
        isThere = false;
      } else if (result.code !== 0) {
        failures.add(1, printable(error?.message ?? 'no reason given'));
      } else {
        isThere = true;
      }
      callback(result);
    });
  return exporter;
}
