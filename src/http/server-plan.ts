import type { IncomingMessage } from 'node:http';
import { type Attributes, type Span, SpanKind, type Tracer, trace } from '@opentelemetry/api';
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
} from './attribute-names.js';
import type { Connection } from './connection.js';
import { IncomingContext } from './incoming-context.js';
import { knownMethods, OTHER_METHOD } from './request-method.js';
import { targetPath, targetQuery } from './request-target.js';
import type { HttpTracing } from './types.js';

/** What a server's options come to, resolved once: what is off costs a request one check at most. */
export class ServerPlan {
  readonly incoming: IncomingContext;
  readonly #tracer: Tracer;
  readonly #methods: ReadonlySet<string>;
  /** The status code into a span's entry in the in-flight table, when the tracer has one. */
  readonly amendInFlight: ((span: Span, statusCode: number) => void) | undefined = undefined;

  constructor(tracing: HttpTracing, env: NodeJS.ProcessEnv) {
    this.incoming = new IncomingContext(tracing.propagator);
    this.#tracer = (tracing.tracerProvider ?? trace).getTracer('forktrace', version);
    this.#methods = knownMethods(env);
  }

  /** The method as a span name has it. */
  methodName(method: string | undefined): string {
    return method !== undefined && this.#methods.has(method) ? method : 'HTTP';
  }

  startSpan(message: IncomingMessage, connection: Connection, parent: Parameters<Tracer['startSpan']>[2]): Span {
    const method = message.method!;
    const target = message.url!;
    const known = this.#methods.has(method);
    const { host, userAgent } = this.incoming;
    const server = connection.parseHost(host ?? '');
    // One literal with all keys, so that every request's attributes have one shape; undefined is not set.
    const attributes: Attributes = {
      [ATTR_HTTP_REQUEST_METHOD]: known ? method : OTHER_METHOD,
      [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: known ? undefined : method,
      [ATTR_URL_SCHEME]: connection.scheme,
      [ATTR_URL_PATH]: targetPath(target),
      [ATTR_URL_QUERY]: targetQuery(target),
      [ATTR_SERVER_ADDRESS]: server.address,
      [ATTR_SERVER_PORT]: server.port,
      [ATTR_CLIENT_ADDRESS]: connection.peerAddress,
      [ATTR_NETWORK_PEER_ADDRESS]: connection.peerAddress,
      [ATTR_NETWORK_PEER_PORT]: connection.peerPort,
      [ATTR_NETWORK_PROTOCOL_VERSION]: message.httpVersion,
      [ATTR_USER_AGENT_ORIGINAL]: userAgent,
    };
    return this.#tracer.startSpan(known ? method : 'HTTP', { kind: SpanKind.SERVER, attributes }, parent);
  }
}
