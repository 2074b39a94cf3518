import type { Context, Tracer, TracerProvider } from '@opentelemetry/api';
import type { IdGenerator, ReadableSpan, Sampler, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ResolvedSpanLimits } from '../config/resolved.js';
import type { SpanLog } from '../journal/span-log.js';
import { LeanTracer, type TracerShared } from './tracer.js';

/** Parts of the journal pipeline's tracer provider. */
export interface LeanTracerProviderOptions {
  resource: ReadableSpan['resource'];
  spanLimits: ResolvedSpanLimits;
  /** Where sampled spans are kept; without it only `spanProcessors` see them. */
  spanLog?: SpanLog;
  /** @default parent-based, always on at the root */
  sampler?: Sampler;
  /** @default random ids */
  idGenerator?: IdGenerator;
  spanProcessors?: readonly SpanProcessor[];
}

/** A tracer provider whose spans go to the journal. */
export class LeanTracerProvider implements TracerProvider {
  readonly #shared: TracerShared;
  readonly #tracers = new Map<string, LeanTracer>();
  readonly #processors: readonly SpanProcessor[];

  constructor(options: LeanTracerProviderOptions) {
    this.#processors = options.spanProcessors ?? [];
    this.#shared = {
      resource: options.resource,
      limits: options.spanLimits,
      sampler: options.sampler,
      idGenerator: options.idGenerator,
      processor: combine(this.#processors),
      spanLog: options.spanLog,
    };
  }

  getTracer(name: string, version = '', options?: { schemaUrl?: string }): Tracer {
    const schemaUrl = options?.schemaUrl ?? '';
    const key = `${name}@${version}:${schemaUrl}`;
    let tracer = this.#tracers.get(key);
    if (tracer === undefined) {
      // A working tracer, whatever the name (specification, trace/api "Get a Tracer").
      tracer = new LeanTracer({ name: name ?? '', version, schemaUrl }, this.#shared);
      this.#tracers.set(key, tracer);
    }
    return tracer;
  }

  /** Flushes the span processors; the journal needs no flush. */
  async forceFlush(): Promise<void> {
    await Promise.all(this.#processors.map((processor) => processor.forceFlush()));
  }

  async shutdown(): Promise<void> {
    await Promise.all(this.#processors.map((processor) => processor.shutdown()));
  }
}

/** No processors cost nothing; one costs no loop. */
function combine(processors: readonly SpanProcessor[]): SpanProcessor | undefined {
  if (processors.length < 2) return processors[0];
  return {
    onStart(span, context: Context) {
      for (const processor of processors) processor.onStart(span, context);
    },
    onEnding(span) {
      for (const processor of processors) processor.onEnding?.(span);
    },
    onEnd(span) {
      for (const processor of processors) processor.onEnd(span);
    },
    forceFlush: async () => {},
    shutdown: async () => {},
  };
}
