import type { Tracer, TracerProvider } from '@opentelemetry/api';
import type { ResolvedSpanLimits } from '../config/resolved.js';
import type { SpanLog } from '../journal/span-log.js';
import type { IdGenerator, ReadableSpan, Sampler, SpanProcessor } from '../sdk/types.js';
import { JournalProcessor } from './journal-processor.js';
import { completeChain, type SpanProcessorsFactory } from './processor-chain.js';
import { JournalTracer } from './tracer.js';
import type { SpanPipeline } from './tracer-scope.js';

/** Parts of the journal pipeline's tracer provider. */
export interface JournalTracerProviderOptions {
  /** Read when somebody asks a span for it: a getter may make it then. */
  readonly resource: ReadableSpan['resource'];
  spanLimits: ResolvedSpanLimits;
  /** Where sampled spans are kept; without it only `spanProcessors` see them. */
  spanLog?: SpanLog;
  /** @default parent-based, always on at the root */
  sampler?: Sampler;
  /** @default random ids */
  idGenerator?: IdGenerator;
  /** They see and may change each span as in the SDK; the journal takes what they leave. @default [] */
  spanProcessors?: SpanProcessorsFactory;
  /** Milliseconds that a `forceFlush` has if it is not told otherwise. @default 30000 */
  forceFlushTimeoutMs?: number;
}

/** A tracer provider whose spans go to the journal. */
export class JournalTracerProvider implements TracerProvider {
  readonly #pipeline: SpanPipeline;
  readonly #tracers = new Map<string, JournalTracer>();
  readonly #processors: readonly SpanProcessor[];
  readonly #forceFlushTimeoutMs: number;

  constructor(options: JournalTracerProviderOptions) {
    const journalProcessor = options.spanLog && new JournalProcessor(options.spanLog);
    this.#processors = completeChain(options.spanProcessors, journalProcessor);
    this.#forceFlushTimeoutMs = options.forceFlushTimeoutMs ?? 30_000;
    this.#pipeline = {
      get resource() {
        return options.resource;
      },
      limits: options.spanLimits,
      sampler: options.sampler,
      idGenerator: options.idGenerator,
      processors: this.#processors.length > 0 ? this.#processors : undefined,
      journalProcessor,
      spanLog: options.spanLog,
    };
  }

  getTracer(name: string, version?: string, options?: { schemaUrl?: string }): Tracer {
    const schemaUrl = options?.schemaUrl;
    const key = `${String(name)}@${version ?? ''}:${schemaUrl ?? ''}`;
    let tracer = this.#tracers.get(key);
    if (tracer === undefined) {
      // A working tracer, whatever the name (specification, trace/api "Get a Tracer").
      tracer = new JournalTracer({ name: String(name ?? ''), version, schemaUrl }, this.#pipeline);
      this.#tracers.set(key, tracer);
    }
    return tracer;
  }

  /** Flushes the span processors; the journal needs no flush. Rejects with an array of what failed or took too long. */
  async forceFlush(): Promise<void> {
    const flushes = this.#processors.map((processor) => inTime(processor.forceFlush(), this.#forceFlushTimeoutMs));
    const results = await Promise.allSettled(flushes);
    const errors = results.filter((result) => result.status === 'rejected').map((result) => result.reason);
    if (errors.length > 0) throw errors;
  }

  /** Shuts the span processors down. */
  async shutdown(): Promise<void> {
    await Promise.all(this.#processors.map((processor) => processor.shutdown()));
  }
}

async function inTime(flush: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`A span processor did not flush within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([flush, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
