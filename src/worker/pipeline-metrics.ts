import type { Attributes, Meter, MeterProvider } from '@opentelemetry/api';
import type { ResolvedExport } from '../config/resolved.js';
import { version } from '../own-files.js';
import { PARENT_ORIGINS, SAMPLING_RESULTS, type SpanCounts } from '../tracer/span-counts.js';
import {
  COMPONENT_NAME,
  COMPONENT_TYPE,
  ERROR_TYPE,
  SDK_EXPORTER_SPAN_EXPORTED,
  SDK_EXPORTER_SPAN_INFLIGHT,
  SDK_SPAN_LIVE,
  SDK_SPAN_STARTED,
  SERVER_ADDRESS,
  SERVER_PORT,
  SPAN_PARENT_ORIGIN,
  SPAN_SAMPLING_RESULT,
  SPANS_JOURNALED,
  SPANS_LOST,
} from '../wire/conventions.js';
import type { Pipeline } from './pipeline.js';

/**
 * `forktrace.spans.journaled` and `forktrace.spans.lost`: how many of this worker's spans were kept and lost
 * since its start.
 */
export function observePipeline(meterProvider: MeterProvider, pipeline: Pipeline, target: ResolvedExport): void {
  const meter = meterProvider.getMeter('forktrace', version);
  const unit = '{span}';
  const journaled = meter.createObservableCounter(SPANS_JOURNALED, {
    unit,
    description: 'Spans that this worker has kept: in its journal, or exported with pipeline batch',
  });
  const lost = meter.createObservableCounter(SPANS_LOST, {
    unit,
    description: 'Spans that this worker could not keep',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const { spansJournaled, spansLost } = pipeline.stats();
      result.observe(journaled, spansJournaled);
      result.observe(lost, spansLost);
    },
    [journaled, lost],
  );
  if (pipeline.counts !== undefined) observeSpans(meter, pipeline.counts);
  if (pipeline.undelivered !== undefined && target.to.startsWith('otlp')) observeExports(meter, pipeline, target);
}

/**
 * `otel.sdk.exporter.span.*` for spans that a shipper exports:
 * https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/#span-metrics The SDK's own exporters count
 * within this process. Here the numbers come from the headers of the journal.
 */
function observeExports(meter: Meter, pipeline: Pipeline, target: ResolvedExport): void {
  const unit = '{span}';
  const inflight = meter.createObservableUpDownCounter(SDK_EXPORTER_SPAN_INFLIGHT, {
    unit,
    description:
      'The number of spans which were passed to the exporter, but that have not been exported yet (neither successful, nor failed).',
  });
  const exported = meter.createObservableCounter(SDK_EXPORTER_SPAN_EXPORTED, {
    unit,
    description: 'The number of spans for which the export has finished, either successful or failed.',
  });
  const attributes = exporterAttributes(target);
  let most = 0;
  meter.addBatchObservableCallback(
    (result) => {
      // Read first, so that spans that are kept in the meantime do not count as exported.
      const { spansJournaled } = pipeline.stats();
      const waiting = pipeline.undelivered?.() ?? 0;
      let finished = spansJournaled - waiting;
      result.observe(inflight, waiting, attributes);
      // Refused spans have failed, and are not counted among the others.
      for (const [type, spans] of pipeline.refused?.() ?? []) {
        finished -= spans;
        result.observe(exported, spans, { ...attributes, [ERROR_TYPE]: type });
      }
      most = Math.max(most, finished);
      result.observe(exported, most, attributes);
    },
    [inflight, exported],
  );
}

/** The same attributes as of the SDK's exporters for the same endpoint. */
function exporterAttributes({ to, url = 'http://localhost:4317' }: ResolvedExport): Attributes {
  const type = to === 'otlp-http' ? 'otlp_http_span_exporter' : 'otlp_grpc_span_exporter';
  const attributes: Attributes = { [COMPONENT_TYPE]: type, [COMPONENT_NAME]: `${type}/0` };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  // A Unix socket has no host name.
  if (!parsed?.hostname) return attributes;
  attributes[SERVER_ADDRESS] = parsed.hostname;
  const port = Number(parsed.port) || { 'http:': 80, 'https:': 443 }[parsed.protocol];
  if (port !== undefined) attributes[SERVER_PORT] = port;
  return attributes;
}

/**
 * `otel.sdk.span.started` and `otel.sdk.span.live`:
 * https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/#span-metrics
 */
export function observeSpans(meter: Meter, counts: SpanCounts): void {
  const unit = '{span}';
  const started = meter.createObservableCounter(SDK_SPAN_STARTED, {
    unit,
    description: 'The number of created spans.',
  });
  const live = meter.createObservableUpDownCounter(SDK_SPAN_LIVE, {
    unit,
    description: 'The number of currently live spans.',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const recorded = [0, 0, 0];
      for (const [origin, name] of PARENT_ORIGINS.entries()) {
        for (const [decision, sampling] of SAMPLING_RESULTS.entries()) {
          const count = counts.started[origin * SAMPLING_RESULTS.length + decision]!;
          recorded[decision]! += count;
          if (count > 0)
            result.observe(started, count, { [SPAN_PARENT_ORIGIN]: name, [SPAN_SAMPLING_RESULT]: sampling });
        }
      }
      // The first decision is DROP: a span that is not recorded is not live.
      for (const [decision, sampling] of SAMPLING_RESULTS.entries()) {
        if (decision === 0 || recorded[decision] === 0) continue;
        result.observe(live, recorded[decision]! - counts.ended[decision]!, { [SPAN_SAMPLING_RESULT]: sampling });
      }
    },
    [started, live],
  );
}
