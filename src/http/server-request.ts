import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Context, createContextKey, type Exception, type Span, SpanStatusCode } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE, ATTR_HTTP_RESPONSE_STATUS_CODE, ATTR_HTTP_ROUTE } from './attribute-names.js';
import type { Connection } from './connection.js';
import { DerivedContext } from './derived-context.js';
import { requestCounts } from './request-counts.js';
import { RPC_METADATA_KEY, type RpcMetadata } from './rpc-metadata.js';
import type { ServerPlan } from './server-plan.js';

// The API's own key: `trace.getSpan` asks a context for it.
const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN');

/** The context key of the request that is being served. */
export const REQUEST_KEY = createContextKey('forktrace.request');

const REQUEST = Symbol('forktrace.request');

export type TracedResponse = ServerResponse & { [REQUEST]?: ServerRequest };

/** The traced request of a response, if it is traced. */
export function requestOf(response: ServerResponse): ServerRequest | undefined {
  return (response as TracedResponse)[REQUEST];
}

/**
 * One request from its headers to the last byte of its response: the SERVER span's life, and the context that the handler
 * runs in (one object for both: a context of its own would be one more allocation per request).
 */
export class ServerRequest implements Context {
  readonly plan: ServerPlan;
  readonly connection: Connection;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly parent: Context;
  readonly span: Span;
  /** In {@link Connection.open}. */
  next: ServerRequest | undefined = undefined;
  route: string | undefined = undefined;
  /** `error.type` of what the handler threw. */
  errorType: string | undefined = undefined;
  ended = false;
  #metadata: RpcMetadata | undefined = undefined;
  /** `response.end` as it was. */
  readonly #end: ServerResponse['end'];

  constructor(
    plan: ServerPlan,
    connection: Connection,
    message: IncomingMessage,
    response: ServerResponse,
    parent: Context,
    span: Span,
  ) {
    this.plan = plan;
    this.connection = connection;
    this.message = message;
    this.response = response;
    this.parent = parent;
    this.span = span;
    this.#end = response.end;
    (response as TracedResponse)[REQUEST] = this;
    response.end = endResponse as ServerResponse['end'];
    connection.add(this);
    requestCounts.inFlight++;
  }

  getValue(key: symbol): unknown {
    if (key === SPAN_KEY) return this.span;
    if (key === REQUEST_KEY) return this;
    if (key === RPC_METADATA_KEY) {
      this.#metadata ??= { type: 'http', span: this.span };
      return this.#metadata;
    }
    return this.parent.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new DerivedContext(this, key, value);
  }

  deleteValue(key: symbol): Context {
    return new DerivedContext(this, key, undefined);
  }

  /** The handler threw: the request stays open, for what answers it or for the end of the process. */
  threw(error: unknown): void {
    if (this.ended) return;
    this.errorType = typeName(error);
    this.span.recordException(error as Exception);
    this.span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : undefined });
  }

  /** The connection is gone before the response was handed over. */
  connectionClosed(): void {
    const { response } = this;
    this.close(response.headersSent ? response.statusCode : undefined, this.connection.closeReason ?? 'aborted');
  }

  /** Calls the original `response.end`, and ends the span as soon as the kernel has the response. */
  endResponse(chunk: unknown, encoding: unknown, callback: unknown): ServerResponse {
    const { response } = this;
    if (this.ended) return this.#end.call(response, chunk, encoding as BufferEncoding, callback as () => void);
    // The status is known now, and the client may have the response before the span has ended.
    this.plan.amendInFlight?.(this.span, response.statusCode);
    const result = this.#end.call(response, chunk, encoding as BufferEncoding, callback as () => void);
    const { socket } = response;
    // node:net writes at once what the kernel takes, so most responses are out here, two ticks before 'finish'.
    if (socket !== null && socket.writableLength === 0 && response.writableLength === 0 && !socket.destroyed) {
      this.close(response.statusCode, undefined);
    } else if (response.writableEnded) {
      response.once('finish', onFinish);
    }
    return result;
  }

  /** Ends the span once. `failure` is the `error.type` of a response that did not reach the client. */
  close(statusCode: number | undefined, failure: string | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.connection.remove(this);
    requestCounts.inFlight--;
    requestCounts.served++;
    const { span } = this;
    const errorType =
      failure ?? this.errorType ?? (statusCode !== undefined && statusCode >= 500 ? String(statusCode) : undefined);
    if (span.isRecording()) {
      const route = this.route ?? this.#metadata?.route;
      if (statusCode !== undefined) span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, statusCode);
      if (route !== undefined) {
        span.setAttribute(ATTR_HTTP_ROUTE, route);
        span.updateName(`${this.plan.methodName(this.message.method)} ${route}`);
      }
      if (errorType !== undefined) {
        span.setAttribute(ATTR_ERROR_TYPE, errorType);
        // What was thrown has set the status, with its message.
        if (this.errorType === undefined) span.setStatus({ code: SpanStatusCode.ERROR });
      }
    }
    span.end();
  }
}

function endResponse(this: TracedResponse, chunk: unknown, encoding: unknown, callback: unknown): ServerResponse {
  return this[REQUEST]!.endResponse(chunk, encoding, callback);
}

function onFinish(this: TracedResponse): void {
  this[REQUEST]!.close(this.statusCode, undefined);
}

function typeName(error: unknown): string {
  if (error instanceof Error) return (error as NodeJS.ErrnoException).code ?? error.constructor.name ?? error.name;
  return typeof error;
}
