import type { Span, SpanContext, TraceState } from '@opentelemetry/api';
import { TraceFlags } from '@opentelemetry/api';
import { randomWord, wordToHex } from './ids.js';

/** A span that carries a trace on without being recorded. Its id is drawn when somebody asks for it. */
export class UnsampledSpan implements Span {
  readonly #traceId: string;
  readonly #traceState: TraceState | undefined;
  #context: SpanContext | undefined;

  constructor(traceId: string, traceState: TraceState | undefined) {
    this.#traceId = traceId;
    this.#traceState = traceState;
  }

  spanContext(): SpanContext {
    this.#context ??= {
      traceId: this.#traceId,
      // Not all zeroes: that is no id (W3C Trace Context, "parent-id").
      spanId: wordToHex(randomWord() | 1) + wordToHex(randomWord()),
      traceFlags: TraceFlags.NONE,
      traceState: this.#traceState,
    };
    return this.#context;
  }

  isRecording(): boolean {
    return false;
  }

  setAttribute(): this {
    return this;
  }

  setAttributes(): this {
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  setStatus(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  recordException(): void {}

  end(): void {}
}
