import type { Context, Span, SpanOptions, Tracer, TracerOptions, TracerProvider } from '@opentelemetry/api';

/**
 * A provider whose first span starts tracing. That span is real already, and the provider that has been
 * started takes over.
 */
export class FirstSpanProvider implements TracerProvider {
  readonly #start: () => TracerProvider;

  /** @param start starts tracing, or returns what has been started or registered since */
  constructor(start: () => TracerProvider) {
    this.#start = start;
  }

  getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    return new FirstSpanTracer(() => this.#start().getTracer(name, version, options));
  }
}

class FirstSpanTracer implements Tracer {
  #tracer: Tracer | undefined;
  readonly #start: () => Tracer;

  constructor(start: () => Tracer) {
    this.#start = start;
  }

  startSpan(name: string, options?: SpanOptions, context?: Context): Span {
    this.#tracer ??= this.#start();
    return this.#tracer.startSpan(name, options, context);
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    ...args: [string, F] | [string, SpanOptions, F] | [string, SpanOptions, Context, F]
  ): ReturnType<F> {
    this.#tracer ??= this.#start();
    return this.#tracer.startActiveSpan(...(args as [string, SpanOptions, Context, F]));
  }
}
