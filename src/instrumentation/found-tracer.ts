import type { Context, Span, SpanOptions, Tracer } from '@opentelemetry/api';
import { askedByUs } from './enabled.js';

/**
 * The tracer of an instrumentation that was found, until it is given a provider: the API's stand-in, which
 * asks for a tracer by the instrumentation's name at its first span, as another instance of it would.
 */
export class FoundTracer implements Tracer {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  startSpan(name: string, options?: SpanOptions, context?: Context): Span {
    return askedByUs(() => this.#tracer.startSpan(name, options, context));
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    ...args: [string, F] | [string, SpanOptions, F] | [string, SpanOptions, Context, F]
  ): ReturnType<F> {
    return askedByUs(() => this.#tracer.startActiveSpan(...(args as [string, SpanOptions, Context, F])));
  }
}
