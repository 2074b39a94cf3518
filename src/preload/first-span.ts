import type { Context, Span, SpanOptions, Tracer, TracerOptions, TracerProvider } from '@opentelemetry/api';
import { yieldInstrumentation } from '../instrumentation/enabled.js';
import { recordsNothing } from './stand-ins.js';

/**
 * A tracer provider whose first span starts tracing. That first span is recorded, too, and the provider that
 * has been started serves all spans after it.
 */
export class FirstSpanProvider implements TracerProvider {
  readonly #start: () => TracerProvider | undefined;

  /**
   * @param start starts tracing, and returns the provider that has been started or registered since;
   * undefined while tracing is being started
   */
  constructor(start: () => TracerProvider | undefined) {
    this.#start = start;
  }

  getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    yieldInstrumentation(name);
    return new FirstSpanTracer(() => this.#start()?.getTracer(name, version, options));
  }
}

class FirstSpanTracer implements Tracer {
  #tracer: Tracer | undefined;
  readonly #start: () => Tracer | undefined;

  constructor(start: () => Tracer | undefined) {
    this.#start = start;
  }

  startSpan(name: string, options?: SpanOptions, context?: Context): Span {
    return this.#found().startSpan(name, options, context);
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    ...args: [string, F] | [string, SpanOptions, F] | [string, SpanOptions, Context, F]
  ): ReturnType<F> {
    return this.#found().startActiveSpan(...(args as [string, SpanOptions, Context, F]));
  }

  #found(): Tracer {
    this.#tracer ??= this.#start();
    return this.#tracer ?? recordsNothing.getTracer('');
  }
}
