import {
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  type SpanOptions,
  type Tracer,
  type TracerOptions,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { activeSpanArguments } from './active-span-arguments.js';

/** The parts of an SDK's provider that the API does not have. */
interface Flushable {
  forceFlush?(options?: { timeoutMillis?: number }): Promise<unknown>;
  shutdown?(): Promise<unknown>;
}

/**
 * A provider whose first root span becomes a child of `parent`; all later ones are as they would be without
 * it. SERVER and CONSUMER spans leave it to others: their parent is who called them, or nobody.
 */
export function withFirstSpanParent(provider: TracerProvider & Flushable, parent: Context): TracerProvider & Flushable {
  const inherited = new InheritedParent(parent);
  return {
    getTracer: (name: string, version?: string, options?: TracerOptions) =>
      new InheritingTracer(provider.getTracer(name, version, options), inherited),
    forceFlush: async (options) => provider.forceFlush?.(options),
    shutdown: async () => provider.shutdown?.(),
  };
}

class InheritedParent {
  #parent: Context | undefined;

  constructor(parent: Context) {
    this.#parent = parent;
  }

  /** `current`, with the parent in it if this is the span that takes it. */
  into(current: Context, options: SpanOptions): Context {
    const parent = this.#parent;
    if (
      parent === undefined ||
      options.root ||
      options.kind === SpanKind.SERVER ||
      options.kind === SpanKind.CONSUMER
    ) {
      return current;
    }
    if (trace.getSpanContext(current) !== undefined) return current;
    this.#parent = undefined;
    const span = trace.getSpan(parent);
    const baggage = propagation.getBaggage(parent);
    let merged = span === undefined ? current : trace.setSpan(current, span);
    if (baggage !== undefined && propagation.getBaggage(current) === undefined) {
      merged = propagation.setBaggage(merged, baggage);
    }
    return merged;
  }
}

class InheritingTracer implements Tracer {
  readonly #tracer: Tracer;
  readonly #inherited: InheritedParent;

  constructor(tracer: Tracer, inherited: InheritedParent) {
    this.#tracer = tracer;
    this.#inherited = inherited;
  }

  startSpan(name: string, options: SpanOptions = {}, parent: Context = context.active()): Span {
    return this.#tracer.startSpan(name, options, this.#inherited.into(parent, options));
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    second: F | SpanOptions,
    third?: F | Context,
    fourth?: F,
  ): ReturnType<F> {
    const asked = activeSpanArguments(second, third, fourth);
    if (asked === undefined) return undefined as ReturnType<F>;
    const { options, fn } = asked;
    const parent = this.#inherited.into(asked.parent, options);
    const span = this.#tracer.startSpan(name, options, parent);
    return context.with(trace.setSpan(parent, span), fn as (span: Span) => ReturnType<F>, undefined, span);
  }
}
