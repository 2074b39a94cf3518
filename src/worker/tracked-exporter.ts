import { numberOf } from '../number-of.js';
import type { ReadableSpan, SpanExporter } from '../sdk/types.js';
import { LossReport } from '../warn.js';

type ExportCallback = Parameters<SpanExporter['export']>[1];

/**
 * A user's exporter with two things that BatchSpanProcessor lacks: a flush that waits for the batch in flight
 * (its `forceFlush` covers only the queue), and warnings about failures, which the SDK reports only through
 * `diag`.
 */
export class TrackedExporter implements SpanExporter {
  exported = 0;
  readonly lost = new LossReport(
    'FORKTRACE_EXPORT_FAILED',
    (spans, reason) => `${numberOf(spans, 'span')} lost, which could not be exported: ${reason}`,
  );
  readonly #exporter: SpanExporter;
  #inFlight = 0;
  #waiting: (() => void)[] = [];

  constructor(exporter: SpanExporter) {
    this.#exporter = exporter;
  }

  export(spans: ReadableSpan[], callback: ExportCallback): void {
    this.#inFlight++;
    let called = false;
    const done: ExportCallback = (result) => {
      if (called) return;
      called = true;
      this.#inFlight--;
      if (result.code === 0) this.exported += spans.length;
      else this.lost.add(spans.length, result.error?.message ?? 'the exporter gave no reason');
      if (this.#inFlight === 0) {
        for (const resolve of this.#waiting.splice(0)) resolve();
      }
      callback(result);
    };
    try {
      this.#exporter.export(spans, done);
    } catch (error) {
      done({ code: 1, error: error instanceof Error ? error : new Error(String(error)) });
    }
  }

  /** Resolves when no batch is in flight. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async forceFlush(): Promise<void> {
    await this.idle();
    await this.#exporter.forceFlush?.();
  }

  async shutdown(): Promise<void> {
    await this.idle();
    await this.#exporter.shutdown();
    this.lost.end();
  }
}
