import {
  type Context,
  context,
  type Span,
  SpanKind,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { activeSpanArguments } from '../../propagation/active-span-arguments.js';
import { activeRequest } from '../active-request.js';
import { guarded } from '../guard.js';

/** A page of Next.js' own, for what it has no route for. */
const NO_ROUTE = new Set<unknown>(['/_not-found', '/404', '/500', '/_error']);

/** Route handlers have their route in the span's name alone. */
const HANDLER = /^executing api route \((?:app|pages)\) (\/\S*)$/;

/**
 * Next.js traces itself, by the tracer `next.js`: within our SERVER span of a request it starts one more, and
 * it says the route in spans that start before the response is out. With this there is one SERVER span, ours,
 * with Next's route; Next's is INTERNAL.
 */
export function watchNext(provider: TracerProvider): void {
  const { getTracer } = provider;
  provider.getTracer = (name, ...rest) => {
    const tracer = getTracer.call(provider, name, ...rest);
    return name === 'next.js' ? new NextTracer(tracer) : tracer;
  };
}

class NextTracer implements Tracer {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  startSpan(name: string, options: SpanOptions = {}, parent: Context = context.active()): Span {
    return this.#tracer.startSpan(name, withinRequest(name, options, parent), parent);
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    second: F | SpanOptions,
    third?: F | Context,
    fourth?: F,
  ): ReturnType<F> {
    const asked = activeSpanArguments(second, third, fourth);
    if (asked === undefined) return undefined as ReturnType<F>;
    const { options, parent, fn } = asked;
    return this.#tracer.startActiveSpan(name, withinRequest(name, options, parent), parent, fn);
  }
}

/** Takes note of the route, and gives the span's options. */
function withinRequest(name: string, options: SpanOptions, parent: Context): SpanOptions {
  const request = activeRequest(parent);
  if (request === undefined) return options;
  const route = guarded(() => options.attributes?.['next.route'] ?? HANDLER.exec(name)?.[1]);
  // The first one counts: an error page that is rendered after it has a route of its own.
  if (typeof route === 'string' && !NO_ROUTE.has(route)) request.route ??= route;
  return options.kind === SpanKind.SERVER ? { ...options, kind: SpanKind.INTERNAL } : options;
}
