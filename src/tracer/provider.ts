import { inspect } from 'node:util';
import type { Tracer, TracerProvider } from '@opentelemetry/api';
import type { ResolvedSpanLimits } from '../config/resolved.js';
import type { SpanLog } from '../journal/span-log.js';
import type { IdGenerator, ReadableSpan, Sampler, SpanProcessor } from '../sdk/types.js';
import type { ExceptionLog } from './exception-log.js';
import { type InspectArguments, inspected, settledAttributes } from './inspected.js';
import { JournalProcessor } from './journal-processor.js';
import { completeChain, type SpanProcessorsFactory } from './processor-chain.js';
import { SpanCounts } from './span-counts.js';
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
  /**
   * Waits until what {@link spanLog} holds has been exported; false at the deadline. @default true at once
   */
  deliver?: (timeoutMs: number) => Promise<boolean>;
  /** Milliseconds that a `forceFlush` has if it is not told otherwise. @default 30000 */
  forceFlushTimeoutMs?: number;
}

/** A tracer provider whose spans go to the journal. */
export class JournalTracerProvider implements TracerProvider {
  /** What the tracers have started and ended so far. */
  readonly counts = new SpanCounts();
  readonly #pipeline: SpanPipeline;
  readonly #tracers = new Map<string, JournalTracer>();
  readonly #processors: readonly SpanProcessor[];
  readonly #forceFlushTimeoutMs: number;
  readonly #deliver: JournalTracerProviderOptions['deliver'];

  constructor(options: JournalTracerProviderOptions) {
    const lengthLimit = options.spanLimits.attributeValueLengthLimit;
    const journalProcessor = options.spanLog && new JournalProcessor(options.spanLog);
    this.#processors = completeChain(options.spanProcessors, journalProcessor);
    this.#deliver = options.deliver;
    this.#forceFlushTimeoutMs = options.forceFlushTimeoutMs ?? 30_000;
    this.#pipeline = {
      get resource() {
        return options.resource;
      },
      limits: options.spanLimits,
      // A limit that is not positive cuts nothing.
      uncutLength: lengthLimit > 0 ? lengthLimit : Number.POSITIVE_INFINITY,
      sampler: options.sampler,
      idGenerator: options.idGenerator,
      processors: this.#processors.length > 0 ? this.#processors : undefined,
      journalProcessor,
      spanLog: options.spanLog,
      counts: this.counts,
      exceptions: undefined,
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

  /** @param log undefined: exceptions are events of their spans, and nothing else */
  keepExceptions(log: ExceptionLog | undefined): void {
    this.#pipeline.exceptions = log;
  }

  /**
   * Flushes the span processors, then waits until a shipper has exported what has ended.
   *
   * @param options `timeoutMillis` is for all of it, in milliseconds @default 30000
   * @returns false when the deadline came before the shipper
   * @throws an array of what the span processors' flushes failed with, as the SDK's provider does
   */
  async forceFlush(options?: { timeoutMillis?: number }): Promise<boolean> {
    const timeoutMs = options?.timeoutMillis ?? this.#forceFlushTimeoutMs;
    const deadline = performance.now() + timeoutMs;
    const flushes = this.#processors.map((processor) => inTime(() => processor.forceFlush(), timeoutMs));
    const results = await Promise.allSettled(flushes);
    const errors = results.filter((result) => result.status === 'rejected').map((result) => result.reason);
    if (errors.length > 0) throw errors;
    return (await this.#deliver?.(Math.max(0, deadline - performance.now()))) ?? true;
  }

  /** Shuts the span processors down. */
  async shutdown(): Promise<void> {
    await Promise.all(this.#processors.map(async (processor) => processor.shutdown()));
  }

  [inspect.custom](...args: InspectArguments): string {
    const fields = {
      resource: settledAttributes(this.#pipeline.resource),
      tracers: [...this.#tracers.keys()],
      spanProcessors: this.#processors.map((processor) => processor.constructor?.name ?? 'SpanProcessor'),
    };
    return inspected(this, fields, args);
  }
}

async function inTime(flush: () => Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`A span processor did not flush within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([flush(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
