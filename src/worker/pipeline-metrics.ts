import type { Meter, MeterProvider } from '@opentelemetry/api';
import { PARENT_ORIGINS, SAMPLING_RESULTS, type SpanCounts } from '../tracer/span-counts.js';
import { version } from '../version.js';
import {
  SDK_SPAN_LIVE,
  SDK_SPAN_STARTED,
  SPAN_PARENT_ORIGIN,
  SPAN_SAMPLING_RESULT,
  SPANS_JOURNALED,
  SPANS_LOST,
} from '../wire/conventions.js';
import type { Pipeline } from './pipeline.js';

/** `forktrace.spans.journaled` and `forktrace.spans.lost`: what became of this worker's spans, since its start. */
export function observePipeline(meterProvider: MeterProvider, pipeline: Pipeline): void {
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
}

/** `otel.sdk.span.started` and `otel.sdk.span.live`: https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/#span-metrics */
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
      // The first is DROP: what is not recorded is not live.
      for (const [decision, sampling] of SAMPLING_RESULTS.entries()) {
        if (decision === 0 || recorded[decision] === 0) continue;
        result.observe(live, recorded[decision]! - counts.ended[decision]!, { [SPAN_SAMPLING_RESULT]: sampling });
      }
    },
    [started, live],
  );
}
