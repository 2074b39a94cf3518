import {
  type Attributes,
  type Exception,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { version } from '../version.js';
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_PATH,
  ATTR_URL_QUERY,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
  ATTR_USER_AGENT_SYNTHETIC_TYPE,
} from './attribute-names.js';
import { forwardedClient, type TrustProxy, trustedProxies } from './forwarded.js';
import { HeaderCapture } from './header-capture.js';
import { type HttpMetrics, httpMetrics } from './http-metrics.js';
import { IncomingContext } from './incoming-context.js';
import { MeasuredRequest } from './measured-request.js';
import { RequestHead, type RequestSource } from './request-head.js';
import { knownMethods, OTHER_METHOD } from './request-method.js';
import { findContextStorage } from './run-in-context.js';
import type { ServerRequest } from './server-request.js';
import type { HttpTracing } from './types.js';
import { excludedUrls } from './url-exclusion.js';

/** What a server's options come to, resolved once: what is off costs a request one check at most. */
export class ServerPlan {
  readonly head = new RequestHead();
  readonly incoming: IncomingContext;
  readonly tracer: Tracer;
  readonly messageSpans: boolean;
  readonly responseHeader: false | 'traceresponse' | 'traceparent';
  readonly responseHeaders: HeaderCapture | undefined;
  readonly clientRequestHook: HttpTracing['clientRequestHook'];
  readonly clientResponseHook: HttpTracing['clientResponseHook'];
  readonly #tracing: HttpTracing;
  readonly #methods: ReadonlySet<string>;
  readonly #excluded: readonly RegExp[] | undefined;
  readonly #trust: TrustProxy | undefined;
  readonly #requestHeaders: HeaderCapture | undefined;
  readonly #startsTraces: boolean;
  #metrics: HttpMetrics | undefined;

  constructor(tracing: HttpTracing, env: NodeJS.ProcessEnv) {
    this.#tracing = tracing;
    this.incoming = new IncomingContext(tracing.propagator);
    this.tracer = (tracing.tracerProvider ?? trace).getTracer('forktrace', version);
    this.#methods = knownMethods(env);
    const excluded = excludedUrls(tracing, env);
    this.#excluded = excluded.length > 0 ? excluded : undefined;
    this.#trust = trustedProxies(tracing.trustProxy);
    const requestHeaders = new HeaderCapture('request', tracing, env);
    this.#requestHeaders = requestHeaders.isEmpty ? undefined : requestHeaders;
    const responseHeaders = new HeaderCapture('response', tracing, env);
    this.responseHeaders = responseHeaders.isEmpty ? undefined : responseHeaders;
    this.#startsTraces = tracing.trustIncomingContext === false;
    this.responseHeader = tracing.responseHeader ?? false;
    this.clientRequestHook = tracing.clientRequestHook;
    this.clientResponseHook = tracing.clientResponseHook;
    // Their spans are what these hooks are for.
    this.messageSpans = tracing.messageSpans ?? Boolean(this.clientRequestHook ?? this.clientResponseHook);
    this.#metrics = httpMetrics(tracing);
  }

  /** Whether requests need a {@link BodyObserver}. */
  get observesBodies(): boolean {
    return this.messageSpans || this.#metrics !== undefined;
  }

  /** Whether requests need to see the head of their response. */
  get observesHeads(): boolean {
    return this.messageSpans || this.responseHeaders !== undefined;
  }

  /** A meter provider may be registered after the server is traced: looked for with each new connection. */
  connected(): void {
    this.#metrics ??= httpMetrics(this.#tracing);
    findContextStorage();
  }

  /** The method as a span's name has it. */
  spanName(method: string): string {
    return method === OTHER_METHOD ? 'HTTP' : method;
  }

  /** Starts the span of the request whose head has been read; undefined when its URL is excluded. */
  startSpan(source: RequestSource): Span | undefined {
    const { head } = this;
    if (this.#trust !== undefined) this.#readForwarded(this.#trust);
    if (this.#excluded !== undefined && this.#isExcluded(this.#excluded)) return undefined;

    const extracted = this.incoming.extract(head);
    const parent = this.#startsTraces ? ROOT_CONTEXT : extracted;
    const caller = this.#startsTraces ? trace.getSpanContext(extracted) : undefined;
    const known = this.#methods.has(head.method);
    const method = known ? head.method : OTHER_METHOD;
    const { connection, host, userAgent } = head;
    const server = connection.parseHost(host ?? '', head.scheme);
    // One literal with all keys, so that every request's attributes have one shape; undefined is not set.
    const attributes: Attributes = {
      [ATTR_HTTP_REQUEST_METHOD]: method,
      [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: known ? undefined : head.method,
      [ATTR_URL_SCHEME]: head.scheme,
      [ATTR_URL_PATH]: head.path,
      [ATTR_URL_QUERY]: head.query,
      [ATTR_SERVER_ADDRESS]: server.address,
      [ATTR_SERVER_PORT]: server.port,
      [ATTR_CLIENT_ADDRESS]: head.clientAddress,
      [ATTR_NETWORK_PEER_ADDRESS]: connection.peerAddress,
      [ATTR_NETWORK_PEER_PORT]: connection.peerPort,
      [ATTR_NETWORK_PROTOCOL_VERSION]: head.version,
      [ATTR_USER_AGENT_ORIGINAL]: userAgent,
      [ATTR_USER_AGENT_SYNTHETIC_TYPE]: connection.syntheticType(userAgent),
    };
    this.#requestHeaders?.addTo(attributes, (name) => head.headers[name]);
    let name = this.spanName(method);
    let named = false;
    let failure: unknown;
    if (this.#tracing.spanDetails !== undefined) {
      try {
        const details = this.#tracing.spanDetails(source as never);
        Object.assign(attributes, details?.attributes);
        named = details?.name !== undefined;
        name = details?.name ?? name;
      } catch (error) {
        failure = error;
      }
    }
    const options = { kind: SpanKind.SERVER, attributes, links: caller ? [{ context: caller }] : undefined };
    const span = this.tracer.startSpan(name, options, parent);
    if (failure !== undefined) span.recordException(failure as Exception);
    head.parent = parent;
    head.knownMethod = method;
    head.named = named;
    return span;
  }

  /** What follows once the span of the head has its request. */
  started(request: ServerRequest, source: RequestSource): void {
    if (this.#metrics !== undefined) request.measured = new MeasuredRequest(this.#metrics, request, this.head);
    const { serverRequestHook } = this.#tracing;
    if (serverRequestHook !== undefined)
      this.guard(request.span, () => serverRequestHook(request.span, source as never));
  }

  /** Runs a user's hook: what it throws is recorded on the span and goes no further. */
  guard(span: Span, hook: () => unknown): void {
    try {
      const result = hook();
      if (result instanceof Promise) result.catch((error) => span.recordException(error));
    } catch (error) {
      span.recordException(error as Exception);
    }
  }

  /** `00-<trace id>-<span id>-<flags>`: the form of `traceparent`, and of `traceresponse` in the W3C's Level 2 draft. */
  responseHeaderValue(span: Span): string {
    const { traceId, spanId, traceFlags } = span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  #readForwarded(trust: TrustProxy): void {
    const { head } = this;
    const client = forwardedClient(head.headers, head.connection.peerAddress, trust);
    head.clientAddress = client.address;
    head.scheme = client.scheme ?? head.scheme;
    head.host = client.host ?? head.host;
  }

  #isExcluded(excluded: readonly RegExp[]): boolean {
    const { scheme, host, path } = this.head;
    const url = `${scheme}://${host ?? ''}${path}`;
    return excluded.some((pattern) => pattern.test(url));
  }
}
