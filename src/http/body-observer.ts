/**
 * Sees the messages of a request: its body chunks, the response's start and the chunks sent. On only for metrics
 * (sizes) and message spans.
 *
 * @module
 */
import { type Span, SpanKind } from '@opentelemetry/api';
import type { ServerRequest } from './server-request.js';

/** A chunk of the request's body. */
export interface RequestMessage {
  type: 'http.request';
  body: unknown;
}

/** The response's status and headers, or a chunk of its body. */
export type ResponseMessage =
  | { type: 'http.response.start'; status: number }
  | { type: 'http.response.body'; body: unknown };

const OBSERVER = Symbol('forktrace.bodies');

type Method = (this: Observed, ...args: unknown[]) => unknown;
interface Observed {
  [OBSERVER]?: BodyObserver;
  push?: Method;
  write?: Method;
}

export class BodyObserver {
  readonly #request: ServerRequest;
  readonly #source: object;
  readonly #response: object;
  /** The methods as they were. */
  readonly push: Method;
  readonly write: Method;
  #started = false;

  /** `readable` is pushed to by node:http as chunks arrive; `writable` is written to by the app. */
  constructor(request: ServerRequest, readable: object, writable: object) {
    this.#request = request;
    this.#source = readable;
    this.#response = writable;
    const incoming = readable as Observed;
    const outgoing = writable as Observed;
    this.push = incoming.push!;
    this.write = outgoing.write!;
    incoming[OBSERVER] = this;
    outgoing[OBSERVER] = this;
    incoming.push = pushObserved;
    outgoing.write = writeObserved;
  }

  received(chunk: unknown, encoding: unknown): void {
    const { measured, plan } = this.#request;
    if (measured !== undefined) measured.requestBytes += byteLength(chunk, encoding);
    if (!plan.messageSpans) return;
    const message: RequestMessage = { type: 'http.request', body: chunk };
    this.#span('receive', message.type, (span) => plan.clientRequestHook?.(span, this.#source as never, message));
  }

  /** The response's head is being sent. */
  started(status: number): void {
    if (this.#started) return;
    this.#started = true;
    const { plan } = this.#request;
    if (!plan.messageSpans) return;
    const message: ResponseMessage = { type: 'http.response.start', status };
    this.#span('send', message.type, (span) => {
      span.setAttribute('http.response.status_code', status);
      plan.clientResponseHook?.(span, this.#response as never, message);
    });
  }

  sent(chunk: unknown, encoding: unknown): void {
    if (chunk === undefined || chunk === null || typeof chunk === 'function') return;
    const { measured, plan } = this.#request;
    if (measured !== undefined) measured.responseBytes += byteLength(chunk, encoding);
    if (!plan.messageSpans) return;
    // HTTP/1 sends the head with the first chunk.
    const { statusCode } = this.#response as { statusCode?: number };
    if (statusCode !== undefined) this.started(statusCode);
    const message: ResponseMessage = { type: 'http.response.body', body: chunk };
    this.#span('send', message.type, (span) => plan.clientResponseHook?.(span, this.#response as never, message));
  }

  #span(direction: 'receive' | 'send', type: string, hook: (span: Span) => void): void {
    const { plan, method } = this.#request;
    const span = plan.tracer.startSpan(
      `${plan.spanName(method)} http ${direction}`,
      { kind: SpanKind.INTERNAL, attributes: { 'http.message.type': type } },
      this.#request,
    );
    plan.guard(span, () => hook(span));
    span.end();
  }
}

function pushObserved(this: Observed, chunk: unknown, encoding: unknown): unknown {
  const observer = this[OBSERVER]!;
  if (chunk !== null && chunk !== undefined) observer.received(chunk, encoding);
  return observer.push.call(this, chunk, encoding);
}

function writeObserved(this: Observed, chunk: unknown, encoding: unknown, callback: unknown): unknown {
  const observer = this[OBSERVER]!;
  observer.sent(chunk, encoding);
  return observer.write.call(this, chunk, encoding, callback);
}

function byteLength(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === 'string') {
    return Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  }
  return ArrayBuffer.isView(chunk) ? chunk.byteLength : 0;
}
