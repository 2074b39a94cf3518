/**
 * Sees the messages of a request: its body chunks, the response's start and the chunks sent. On only for
 * metrics (sizes) and message spans.
 *
 * @module
 */
import { type Context, type Span, SpanKind } from '@opentelemetry/api';
import { HTTP_RESPONSE_STATUS_CODE } from '../wire/conventions.js';
import { runSpanHook } from './guard.js';
import type { MeasuredRequest } from './measured-request.js';
import { methodInName, type RequestSettings } from './request-settings.js';

/** The request whose messages are seen: the context that their spans start in. */
interface ObservedRequest extends Context {
  readonly settings: RequestSettings;
  readonly measured: MeasuredRequest | undefined;
  readonly method: string;
}

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

type Push = (this: Observed, chunk: unknown, encoding: unknown) => unknown;
interface Observed {
  [OBSERVER]?: BodyObserver;
  push?: Push;
}

export class BodyObserver {
  readonly #request: ObservedRequest;
  readonly #source: object;
  readonly #response: object;
  /** The method as it was. */
  readonly push: Push | undefined;
  #started = false;

  /** `readable` is pushed to by Node as chunks arrive; what is sent, the request tells by {@link sent}. */
  constructor(request: ObservedRequest, readable: object, response: object) {
    this.#request = request;
    this.#source = readable;
    this.#response = response;
    const incoming = readable as Observed;
    this.push = incoming.push;
    if (this.push === undefined) return;
    incoming[OBSERVER] = this;
    incoming.push = pushObserved;
  }

  received(chunk: unknown, encoding: unknown): void {
    const { measured, settings } = this.#request;
    if (measured !== undefined) measured.requestBytes += byteLength(chunk, encoding);
    if (!settings.receiveSpans) return;
    const message: RequestMessage = { type: 'http.request', body: chunk };
    this.#span('receive', message.type, (span) => settings.clientRequestHook?.(span, this.#source as never, message));
  }

  /** The response's head is being sent. */
  started(status: number): void {
    if (this.#started) return;
    this.#started = true;
    const { settings } = this.#request;
    if (!settings.sendSpans) return;
    const message: ResponseMessage = { type: 'http.response.start', status };
    this.#span('send', message.type, (span) => {
      span.setAttribute(HTTP_RESPONSE_STATUS_CODE, status);
      return settings.clientResponseHook?.(span, this.#response as never, message);
    });
  }

  sent(chunk: unknown, encoding: unknown): void {
    if (chunk === undefined || chunk === null || typeof chunk === 'function') return;
    const { measured, settings } = this.#request;
    if (measured !== undefined) measured.responseBytes += byteLength(chunk, encoding);
    if (!settings.sendSpans) return;
    // HTTP/1 sends the head with the first chunk.
    const { statusCode } = this.#response as { statusCode?: number };
    if (statusCode !== undefined) this.started(statusCode);
    const message: ResponseMessage = { type: 'http.response.body', body: chunk };
    this.#span('send', message.type, (span) => settings.clientResponseHook?.(span, this.#response as never, message));
  }

  #span(direction: 'receive' | 'send', type: string, hook: (span: Span) => unknown): void {
    const { settings, method } = this.#request;
    const span = settings.tracer.startSpan(
      `${methodInName(method)} http ${direction}`,
      { kind: SpanKind.INTERNAL, attributes: { 'http.message.type': type } },
      this.#request,
    );
    runSpanHook(span, () => hook(span));
    span.end();
  }
}

function pushObserved(this: Observed, chunk: unknown, encoding: unknown): unknown {
  const observer = this[OBSERVER]!;
  if (chunk !== null && chunk !== undefined) observer.received(chunk, encoding);
  return observer.push!.call(this, chunk, encoding);
}

/** Of a chunk as streams take them. */
export function byteLength(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === 'string') {
    return Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  }
  return ArrayBuffer.isView(chunk) ? chunk.byteLength : 0;
}
