import type { MeterProvider } from '@opentelemetry/api';
import { version } from '../version.js';
import { SPANS_JOURNALED, SPANS_LOST } from '../wire/conventions.js';
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
}
