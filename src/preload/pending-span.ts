import {
  type Attributes,
  type AttributeValue,
  type Context,
  type Exception,
  INVALID_SPAN_CONTEXT,
  type Link,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  type TimeInput,
  type Tracer,
} from '@opentelemetry/api';

/** What is done to a span before there is a tracer: replayed on the real one. It has no ids until then. */
export class PendingSpan implements Span {
  #span: Span | undefined;
  #calls: ((span: Span) => void)[] = [];
  #ended = false;
  readonly #name: string;
  readonly #options: SpanOptions;
  readonly #parent: Context;
  readonly #tracer: () => Tracer;
  /** Makes spans of all that are pending, if there is a tracer by now. */
  readonly #realize: () => void;

  constructor(name: string, options: SpanOptions, parent: Context, tracer: () => Tracer, realize: () => void) {
    this.#name = name;
    this.#options = { ...options, startTime: options.startTime ?? now() };
    this.#parent = parent;
    this.#tracer = tracer;
    this.#realize = realize;
  }

  /** Starts the real span; its parent, if it was pending too, has become real before it. */
  realize(): void {
    if (this.#span) return;
    this.#span = this.#tracer().startSpan(this.#name, this.#options, this.#parent);
    for (const call of this.#calls) call(this.#span);
    this.#calls = [];
  }

  spanContext(): SpanContext {
    if (!this.#span) this.#realize();
    return this.#span?.spanContext() ?? INVALID_SPAN_CONTEXT;
  }

  setAttribute(key: string, value: AttributeValue): this {
    return this.#call((span) => span.setAttribute(key, value));
  }

  setAttributes(attributes: Attributes): this {
    return this.#call((span) => span.setAttributes(attributes));
  }

  addEvent(name: string, second?: Attributes | TimeInput, time?: TimeInput): this {
    const attributes = isTime(second) ? undefined : second;
    const at = time ?? (isTime(second) ? second : now());
    return this.#call((span) => span.addEvent(name, attributes, at));
  }

  addLink(link: Link): this {
    return this.#call((span) => span.addLink(link));
  }

  addLinks(links: Link[]): this {
    return this.#call((span) => span.addLinks(links));
  }

  setStatus(status: SpanStatus): this {
    return this.#call((span) => span.setStatus(status));
  }

  updateName(name: string): this {
    return this.#call((span) => span.updateName(name));
  }

  recordException(exception: Exception, time: TimeInput = now()): void {
    this.#call((span) => span.recordException(exception, time));
  }

  end(endTime: TimeInput = now()): void {
    this.#call((span) => span.end(endTime));
    this.#ended = true;
  }

  isRecording(): boolean {
    return this.#span?.isRecording() ?? !this.#ended;
  }

  #call(call: (span: Span) => void): this {
    if (this.#span) call(this.#span);
    else if (!this.#ended) this.#calls.push(call);
    return this;
  }
}

function isTime(value: unknown): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || Array.isArray(value);
}

/** Milliseconds since 1970, with a fraction. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
