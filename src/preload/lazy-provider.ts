import {
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerOptions,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { LossReport } from '../warn.js';
import { PendingSpan } from './pending-span.js';

/** Spans that may start before tracing has: a start takes a fraction of a second. */
const MOST_PENDING = 10_000;

/** A provider whose first span starts tracing, which takes over from there. */
export class LazyProvider implements TracerProvider {
  #provider: TracerProvider | undefined;
  #pending: PendingSpan[] = [];
  readonly #firstSpan: () => void;
  readonly #current: () => TracerProvider | undefined;
  readonly #lost = new LossReport(
    'FORKTRACE_SPANS_LOST',
    (lost) => `${lost} spans were lost that began while tracing was starting.`,
  );

  /**
   * @param firstSpan called at each span that starts before there is a provider
   * @param current the provider that has taken over, if there is one
   */
  constructor(firstSpan: () => void, current: () => TracerProvider | undefined) {
    this.#firstSpan = firstSpan;
    this.#current = current;
  }

  /** The real provider, once there is one; what is pending becomes its spans, in order. */
  get provider(): TracerProvider | undefined {
    if (this.#provider === undefined) this.use(this.#current());
    return this.#provider;
  }

  use(provider: TracerProvider | undefined): void {
    if (provider === undefined || this.#provider !== undefined) return;
    this.#provider = provider;
    const pending = this.#pending;
    this.#pending = [];
    for (const span of pending) span.realize();
  }

  getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    return new LazyTracer(this, () => this.#provider!.getTracer(name, version, options));
  }

  pend(name: string, options: SpanOptions, parent: Context, tracer: () => Tracer): Span {
    this.#firstSpan();
    if (this.#pending.length >= MOST_PENDING) {
      this.#lost.add(1, '');
      return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    }
    const span = new PendingSpan(name, options, parent, tracer, () => this.provider);
    this.#pending.push(span);
    return span;
  }
}

class LazyTracer implements Tracer {
  #tracer: Tracer | undefined;
  readonly #lazy: LazyProvider;
  readonly #realTracer: () => Tracer;

  constructor(lazy: LazyProvider, realTracer: () => Tracer) {
    this.#lazy = lazy;
    this.#realTracer = () => {
      this.#tracer ??= realTracer();
      return this.#tracer;
    };
  }

  startSpan(name: string, options: SpanOptions = {}, parent?: Context): Span {
    if (this.#tracer === undefined && this.#lazy.provider !== undefined) this.#realTracer();
    if (this.#tracer !== undefined) return this.#tracer.startSpan(name, options, parent ?? context.active());
    return this.#lazy.pend(name, options, parent ?? context.active(), this.#realTracer);
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    second: F | SpanOptions,
    third?: F | Context,
    fourth?: F,
  ): ReturnType<F> {
    const fn = (fourth ?? third ?? second) as (span: Span) => ReturnType<F>;
    const options = third === undefined ? {} : (second as SpanOptions);
    const parent = (fourth === undefined ? undefined : (third as Context)) ?? context.active();
    const span = this.startSpan(name, options, parent);
    return context.with(trace.setSpan(parent, span), fn, undefined, span);
  }
}
