import type { Span, SpanContext } from '@opentelemetry/api';
import { randomWord, wordToHex } from './ids.js';
import { flagsOf } from './trace-flags.js';

/** A span that carries a trace on without being recorded. Its id is drawn when somebody asks for it. */
export class UnsampledSpan implements Span {
  readonly #parent: SpanContext;
  #context: SpanContext | undefined;

  constructor(parent: SpanContext) {
    this.#parent = parent;
  }

  spanContext(): SpanContext {
    this.#context ??= {
      traceId: this.#parent.traceId,
      // Not all zeroes: that is no id (W3C Trace Context, "parent-id").
      spanId: wordToHex(randomWord() | 1) + wordToHex(randomWord()),
      traceFlags: flagsOf(false, this.#parent),
      traceState: this.#parent.traceState,
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
