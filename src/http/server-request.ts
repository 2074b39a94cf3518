import {
  type Attributes,
  type Context,
  createContextKey,
  type Exception,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
} from '@opentelemetry/api';
import {
  ERROR_TYPE,
  EXCEPTION_MESSAGE,
  EXCEPTION_TYPE,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
} from '../wire/conventions.js';
import { DerivedContext, SPAN_KEY } from './derived-context.js';
import { errorType } from './error-type.js';
import { guarded, runSpanHook } from './guard.js';
import type { ReadHeader } from './header-capture.js';
import type { MeasuredRequest } from './measured-request.js';
import { requestCounts } from './request-counts.js';
import { endTiming, startTiming } from './request-durations.js';
import { nameOfRoute, type RequestSettings } from './request-settings.js';
import { RPC_METADATA_KEY, type RpcMetadata } from './rpc-metadata.js';
import { rememberThrown } from './thrown-errors.js';

/** The context key of the request that is being served. */
export const REQUEST_KEY = createContextKey('forktrace.request');

/** The journal pipeline's spans can write what was set since their start into the in-flight table. */
interface CheckpointedSpan extends Span {
  checkpoint?(): void;
}

/**
 * One request from its head to the last byte of its response: the SERVER span's life, and the context that
 * the handler runs in. It is one object for both: a context of its own would be one more allocation per
 * request.
 */
export abstract class ServerRequest implements Context {
  readonly settings: RequestSettings;
  readonly parent: Context;
  readonly span: CheckpointedSpan;
  /** The method as the span has it, `_OTHER` included. */
  readonly method: string;
  /** `spanDetails` has named the span: the route does not. */
  readonly named: boolean;
  /** Asked for a route when the response is complete and no router has told one. */
  routeSource: RouteSource | undefined = undefined;
  /** Set when there is a meter. */
  measured: MeasuredRequest | undefined = undefined;
  /** `error.type` of what the handler threw. */
  protected thrown: string | undefined = undefined;
  protected ended = false;
  #metadata: RpcMetadata | undefined = undefined;
  #route: string | undefined = undefined;
  #routeIsFinal = false;
  readonly #startedAt = startTiming();
  // As the span has them.
  #settledStatus: number | undefined = undefined;
  #settledRoute: string | undefined = undefined;

  /** The request whose head has just been read. */
  constructor(settings: RequestSettings, head: StartedHead, span: Span) {
    this.settings = settings;
    this.span = span as CheckpointedSpan;
    this.parent = head.parent;
    this.method = head.knownMethod;
    this.named = head.named;
    requestCounts.inFlight++;
  }

  getValue(key: symbol): unknown {
    if (key === SPAN_KEY) return this.span;
    if (key === REQUEST_KEY) return this;
    if (key === RPC_METADATA_KEY) {
      this.#metadata ??= { type: 'http', span: this.span };
      return this.#metadata;
    }
    return this.parent === ROOT_CONTEXT ? undefined : this.parent.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new DerivedContext(this, key, value);
  }

  deleteValue(key: symbol): Context {
    return new DerivedContext(this, key, undefined);
  }

  /** The pattern of the route that a router has found. */
  get route(): string | undefined {
    return this.#route;
  }

  /**
   * A router has found a route. Span and in-flight table have it at once, so that an interrupted span is
   * grouped with the others of its route.
   */
  set route(route: string | undefined) {
    if (route === this.#route || this.#routeIsFinal) return;
    this.#route = route;
    if (route === undefined || this.ended) return;
    this.#describeRoute(route);
    this.span.checkpoint?.();
  }

  /** A route that no router's replaces. */
  setRouteByHand(route: string): void {
    this.route = route;
    this.#routeIsFinal = true;
  }

  /** The handler threw: the request stays open, for what answers it or for the end of the process. */
  threw(error: unknown): void {
    if (this.ended || this.thrown !== undefined) return;
    rememberThrown(error, this);
    this.thrown = errorType(error);
    this.span.recordException(error as Exception);
    // The event is in the journal once the span has ended; should this be what ends the process, it never
    // does, and the in-flight table, which holds attributes, is all that is left to say why.
    this.span.setAttribute(EXCEPTION_TYPE, this.thrown);
    if (error instanceof Error) this.span.setAttribute(EXCEPTION_MESSAGE, error.message);
    this.span.checkpoint?.();
    this.span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : undefined });
  }

  /** The connection is gone before the response was handed over. */
  abstract connectionClosed(): void;

  /** The process ends in its handler, say: what has its response is not interrupted. */
  processExits(): void {}

  /** The route that a framework leaves on the request itself. */
  protected abstract routeLeft(): string | undefined;

  /** What hooks get: the request, or the stream, and the response. */
  protected abstract exchange(): [unknown, unknown];

  /** For header capture. */
  protected abstract responseHeaders(): ReadHeader;

  /**
   * The response is complete and about to be handed over: all that is known of it goes on the span, and into
   * the in-flight table. Should the process die before the span has ended, a client that has its answer is
   * not told interrupted alone.
   */
  protected settle(statusCode: number): void {
    if (statusCode !== this.#settledStatus) this.#describe(statusCode);
    this.span.checkpoint?.();
  }

  /** Ends the span once. `failure` is the `error.type` of a response that did not reach the client. */
  protected close(statusCode: number | undefined, failure: string | undefined): void {
    if (this.ended) return;
    if (statusCode !== this.#settledStatus || statusCode === undefined) this.#describe(statusCode);
    const errorType =
      this.thrown ?? failure ?? (statusCode !== undefined && statusCode >= 500 ? String(statusCode) : undefined);
    if (errorType !== undefined) {
      // Not in settle: an interrupted span has an error.type of its own.
      this.span.setAttribute(ERROR_TYPE, errorType);
      // What was thrown has set the status, with its message.
      if (this.thrown === undefined) this.span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.ended = true;
    requestCounts.inFlight--;
    requestCounts.served++;
    if (errorType !== undefined) requestCounts.failed++;
    endTiming(this.#startedAt);
    const { settings, span } = this;
    if (settings.responseHeaders !== undefined) {
      const { responseHeaders } = settings;
      guarded(() => {
        const attributes: Attributes = {};
        responseHeaders.addTo(attributes, this.responseHeaders());
        span.setAttributes(attributes);
      });
    }
    const { applyCustomAttributesOnSpan } = settings;
    if (applyCustomAttributesOnSpan !== undefined) {
      const [request, response] = this.exchange();
      runSpanHook(span, () => applyCustomAttributesOnSpan(span, request as never, response as never));
    }
    span.end();
    this.measured?.end(this, statusCode, this.#settledRoute, errorType);
  }

  #describe(statusCode: number | undefined): void {
    const route = this.#route ?? this.#metadata?.route ?? guarded(() => this.routeSource?.route() ?? this.routeLeft());
    this.#settledStatus = statusCode;
    if (!this.span.isRecording()) {
      this.#settledRoute = route;
      return;
    }
    if (statusCode !== undefined) this.span.setAttribute(HTTP_RESPONSE_STATUS_CODE, statusCode);
    if (route !== undefined) this.#describeRoute(route);
  }

  #describeRoute(route: string): void {
    // The in-flight table cannot take an attribute twice.
    if (route === this.#settledRoute) return;
    this.#settledRoute = route;
    this.span.setAttribute(HTTP_ROUTE, route);
    if (!this.named) this.span.updateName(nameOfRoute(this.method, route));
  }
}

/** Knows where in a framework's routers a request is. */
export interface RouteSource {
  route(): string | undefined;
}

/** What a span was started with. */
export interface StartedHead {
  readonly parent: Context;
  readonly knownMethod: string;
  readonly named: boolean;
}
