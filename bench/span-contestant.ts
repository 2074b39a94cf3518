/**
 * One contestant of bench:span in a process of its own: told what to run, answers with the CPU time that it
 * took.
 */
import { createRequire } from 'node:module';
import { context, ROOT_CONTEXT, type TracerProvider, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { beginChunk, beginSpanIn, chunkLength, closeChunk, MAX_OPEN_CHUNK, openChunk } from '#src/journal/chunk.js';
import type { Room, SpanLog } from '#src/journal/span-log.js';
import { JournalTracerProvider } from '#src/tracer/provider.js';
import { asMemory, copyBytes, type Memory, memoryOf } from '#src/wire/memory.js';
import { type Contestant, spanCases } from './span-cases.js';

const attributes = { 'service.name': 'bench', 'service.instance.id': 'one' };
const BATCH = 512;
/** Field 1 of an export request, length-delimited. */
const RESOURCE_SPANS = 0x0a;
let delivered = 0;

/**
 * Encodes in place and copies as the journal's writer does: a segment of 4 MiB, and entries of 2 KiB for
 * local roots.
 */
class MemoryJournal implements SpanLog {
  readonly #segment = memoryOf(new Uint8Array(4 << 20));
  readonly #entries = memoryOf(new Uint8Array(1024 * 2048));
  readonly #entryEnds = new Int32Array(1024);
  readonly #entryScopes: Memory[] = new Array(1024).fill(memoryOf(new Uint8Array(0)));
  readonly #free = Array.from({ length: 1024 }, (_, entry) => entry);
  readonly #room: Room = { memory: this.#segment, start: 0, end: 0 };
  #at = 0;

  /** What has been appended since the last call, as the body of an export request. */
  take(): Buffer {
    const scopeSpans = Buffer.from(this.#segment.bytes.subarray(0, this.#at));
    this.#at = 0;
    const length = [];
    for (let rest = scopeSpans.length; rest > 0; rest >>>= 7) length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    return Buffer.concat([Buffer.from([RESOURCE_SPANS, ...length]), scopeSpans]);
  }

  reserve(scope: Memory): Room {
    this.#ensure(MAX_OPEN_CHUNK);
    this.#room.memory = this.#segment;
    this.#room.start = openChunk(this.#segment, this.#at, scope);
    this.#room.end = this.#at + MAX_OPEN_CHUNK;
    return this.#room;
  }

  commit(end: number): void {
    delivered++;
    closeChunk(this.#segment, this.#at, this.#room.start, end);
    this.#at = end;
  }

  append(scope: Memory, bytes: Uint8Array, start: number, end: number): void {
    this.#begin(scope, end - start);
    this.#copy(asMemory(bytes), start, end);
  }

  reserveEntry(scope: Memory): Room | undefined {
    const entry = this.#free.at(-1);
    if (entry === undefined) return undefined;
    this.#entryScopes[entry] = scope;
    this.#room.memory = this.#entries;
    this.#room.start = entry * 2048;
    this.#room.end = (entry + 1) * 2048;
    return this.#room;
  }

  beginReserved(end: number): number {
    const entry = this.#free.pop()!;
    this.#entryEnds[entry] = end;
    return entry;
  }

  begin(scope: Memory, bytes: Uint8Array, start: number, end: number): number {
    if (end - start > 2048) return -1;
    const entry = this.#free.pop();
    if (entry === undefined) return -1;
    this.#entryScopes[entry] = scope;
    const at = entry * 2048;
    copyBytes(asMemory(bytes), start, this.#entries, at, end - start);
    this.#entryEnds[entry] = at + end - start;
    return entry;
  }

  reserveMore(entry: number): Room {
    this.#room.memory = this.#entries;
    this.#room.start = this.#entryEnds[entry]!;
    this.#room.end = (entry + 1) * 2048;
    return this.#room;
  }

  amend(): boolean {
    return false;
  }

  settle(): void {}

  finish(entry: number, bytes: Uint8Array, start: number, end: number, whole: boolean): void {
    const from = entry * 2048;
    const to = whole ? from : this.#entryEnds[entry]!;
    this.#begin(this.#entryScopes[entry]!, to - from + end - start);
    if (bytes === this.#entries.bytes) this.#copy(this.#entries, from, end);
    else {
      if (!whole) this.#copy(this.#entries, from, to);
      this.#copy(asMemory(bytes), start, end);
    }
    this.#free.push(entry);
  }

  drop(entry: number): void {
    this.#free.push(entry);
  }

  #begin(scope: Memory, spanLength: number): void {
    delivered++;
    const scopeLength = scope.bytes.length;
    this.#ensure(chunkLength(scopeLength, spanLength));
    const { bytes } = this.#segment;
    const at = beginChunk(bytes, this.#at, scopeLength, spanLength);
    copyBytes(scope, 0, this.#segment, at, scopeLength);
    this.#at = beginSpanIn(bytes, at + scopeLength, spanLength);
  }

  #ensure(length: number): void {
    if (this.#at + length > this.#segment.bytes.length) this.#at = 0;
  }

  #copy(source: Memory, start: number, end: number): void {
    copyBytes(source, start, this.#segment, this.#at, end - start);
    this.#at += end - start;
  }
}

interface Sdk {
  api: Pick<typeof import('@opentelemetry/api'), 'trace' | 'context'>;
  resources: Pick<typeof import('@opentelemetry/resources'), 'resourceFromAttributes'>;
  TracerProvider: new (options: ConstructorParameters<typeof BasicTracerProvider>[0]) => TracerProvider;
  serializer: typeof ProtobufTraceSerializer;
}

const sdks: Record<Exclude<Contestant, 'forktrace'>, () => Sdk> = {
  'sdk-2': () => ({
    api: { trace, context },
    resources: { resourceFromAttributes },
    TracerProvider: BasicTracerProvider,
    serializer: ProtobufTraceSerializer,
  }),
  // It and its API have a package of their own: another major version cannot be beside ours.
  'sdk-3': () => {
    const load = createRequire(new URL('../bench/otel-3/package.json', import.meta.url));
    return {
      api: load('@opentelemetry/api'),
      resources: load('@opentelemetry/resources'),
      TracerProvider: load('@opentelemetry/sdk-trace').TracerProvider,
      serializer: load('@opentelemetry/otlp-transformer').ProtobufTraceSerializer,
    };
  },
};

/** The batch processor without its timer and its exporter. */
class SerializingProcessor implements SpanProcessor {
  #spans: ReadableSpan[] = [];
  /** The last export request. */
  body: Uint8Array = new Uint8Array(0);
  constructor(readonly serializer: typeof ProtobufTraceSerializer) {}
  onStart(): void {}
  onEnd(span: ReadableSpan): void {
    if (this.#spans.push(span) === BATCH) this.serialize();
  }
  serialize(): void {
    const spans = this.#spans;
    this.#spans = [];
    if (spans.length === 0) return;
    this.body = this.serializer.serializeRequest(spans)!;
    if (this.body.length > 0) delivered += spans.length;
  }
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

const contestant = process.argv[2] as Contestant;
const sdk = contestant === 'forktrace' ? undefined : sdks[contestant]();
const serializing = sdk && new SerializingProcessor(sdk.serializer);
const journal = new MemoryJournal();
const limits = 128;
const provider: TracerProvider = serializing
  ? new sdk.TracerProvider({
      resource: sdk.resources.resourceFromAttributes(attributes),
      spanProcessors: [serializing],
    })
  : new JournalTracerProvider({
      resource: resourceFromAttributes(attributes),
      spanLog: journal,
      spanLimits: {
        attributeValueLengthLimit: Number.POSITIVE_INFINITY,
        attributeCountLimit: limits,
        eventCountLimit: limits,
        linkCountLimit: limits,
        attributePerEventCountLimit: limits,
        attributePerLinkCountLimit: limits,
      },
    });

// For `span`, which takes the global provider's tracer. An older API takes what a newer one has registered,
// not the reverse.
const api = sdk?.api ?? { trace, context };
api.trace.setGlobalTracerProvider(provider);
api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const tracer = provider.getTracer('bench', '1.0.0');
const parent = trace.setSpan(ROOT_CONTEXT, tracer.startSpan('request', {}, ROOT_CONTEXT));
const unsampled = trace.setSpanContext(ROOT_CONTEXT, {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: 0,
  isRemote: true,
});

// With `keep`, the answer has the last export request, too.
process.on('message', ({ name, spans, keep }: { name: string; spans: number; keep?: boolean }) => {
  const { run } = spanCases[name]!;
  delivered = 0;
  journal.take();
  void context.with(parent, async () => {
    const before = process.cpuUsage();
    for (let i = 0; i < spans; i++) {
      const running = run(tracer, parent, unsampled, i);
      if (running !== undefined) await running;
    }
    serializing?.serialize();
    const { user, system } = process.cpuUsage(before);
    const body =
      keep && delivered > 0 ? Buffer.from(serializing?.body ?? journal.take()).toString('base64') : undefined;
    process.send!({ nanos: (user + system) * 1000, delivered, body });
  });
});
