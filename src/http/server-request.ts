import {
  type Attributes,
  type Context,
  createContextKey,
  type Exception,
  type Span,
  SpanStatusCode,
} from '@opentelemetry/api';
import { ATTR_ERROR_TYPE, ATTR_HTTP_RESPONSE_STATUS_CODE, ATTR_HTTP_ROUTE } from './attribute-names.js';
import { DerivedContext } from './derived-context.js';
import { errorType } from './error-type.js';
import type { ReadHeader } from './header-capture.js';
import type { MeasuredRequest } from './measured-request.js';
import { requestCounts } from './request-counts.js';
import { RPC_METADATA_KEY, type RpcMetadata } from './rpc-metadata.js';
import type { ServerPlan } from './server-plan.js';

// The API's own key: `trace.getSpan` asks a context for it.
const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN');

/** The context key of the request that is being served. */
export const REQUEST_KEY = createContextKey('forktrace.request');

/**
 * One request from its head to the last byte of its response: the SERVER span's life, and the context that the handler
 * runs in. It is one object for both: a context of its own would be one more allocation per request.
 */
export abstract class ServerRequest implements Context {
  readonly plan: ServerPlan;
  readonly parent: Context;
  readonly span: Span;
  /** The method as the span has it, `_OTHER` included. */
  readonly method: string;
  /** Set by a framework's router, or by hand. */
  route: string | undefined = undefined;
  /** `spanDetails` has named the span: the route does not. */
  named = false;
  /** Set when there is a meter. */
  measured: MeasuredRequest | undefined = undefined;
  /** The next of its connection's open requests. */
  next: ServerRequest | undefined = undefined;
  /** `error.type` of what the handler threw. */
  protected thrown: string | undefined = undefined;
  protected ended = false;
  #metadata: RpcMetadata | undefined = undefined;

  constructor(plan: ServerPlan, parent: Context, span: Span, method: string) {
    this.plan = plan;
    this.parent = parent;
    this.span = span;
    this.method = method;
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
    if (this.ended || this.thrown !== undefined) return;
    this.thrown = errorType(error);
    this.span.recordException(error as Exception);
    // Now, not at the end: the process may not live to see one.
    this.span.setAttribute(ATTR_ERROR_TYPE, this.thrown);
    this.span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : undefined });
  }

  /** The connection is gone before the response was handed over. */
  abstract connectionClosed(): void;

  /** The route that a framework leaves on the request itself. */
  protected abstract routeLeft(): string | undefined;

  /** For header capture. */
  protected abstract responseHeaders(): ReadHeader;

  /** Ends the span once. `failure` is the `error.type` of a response that did not reach the client. */
  protected close(statusCode: number | undefined, failure: string | undefined): void {
    if (this.ended) return;
    this.ended = true;
    requestCounts.inFlight--;
    requestCounts.served++;
    const { plan, span } = this;
    const failed = statusCode !== undefined && statusCode >= 500 ? String(statusCode) : undefined;
    const type = this.thrown ?? failure ?? failed;
    const route = this.route ?? this.#metadata?.route ?? this.routeLeft();
    if (span.isRecording()) {
      if (statusCode !== undefined) span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, statusCode);
      if (route !== undefined) {
        span.setAttribute(ATTR_HTTP_ROUTE, route);
        if (!this.named) span.updateName(`${plan.spanName(this.method)} ${route}`);
      }
      if (type !== undefined) {
        span.setAttribute(ATTR_ERROR_TYPE, type);
        // What was thrown has set the status, with its message.
        if (this.thrown === undefined) span.setStatus({ code: SpanStatusCode.ERROR });
      }
      if (plan.responseHeaders !== undefined) {
        const attributes: Attributes = {};
        plan.responseHeaders.addTo(attributes, this.responseHeaders());
        span.setAttributes(attributes);
      }
    }
    span.end();
    this.measured?.end(this, statusCode, route, type);
  }
}
