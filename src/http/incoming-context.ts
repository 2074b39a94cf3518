import type { IncomingMessage } from 'node:http';
import {
  type Context,
  propagation,
  ROOT_CONTEXT,
  type TextMapGetter,
  type TextMapPropagator,
} from '@opentelemetry/api';

type HeaderCarrier = Record<string, string | string[] | undefined>;

const getter: TextMapGetter<HeaderCarrier> = {
  get: (carrier, key) => carrier[key.toLowerCase()],
  keys: (carrier) => Object.keys(carrier),
};

/**
 * The caller's context, by the configured propagator or the API's global one.
 *
 * `request.headers` is built on first use and costs as much as everything else here; most requests carry no context, so
 * the raw names are scanned first.
 */
export class IncomingContext {
  readonly #own: TextMapPropagator | undefined;
  #names: readonly string[] = [];
  /** Whether a header name of this length can be one of the propagator's. */
  #lengths: readonly boolean[] = [];
  #hasField = false;
  /** Found by {@link scan}. */
  host: string | undefined;
  /** Found by {@link scan}. */
  userAgent: string | undefined;

  constructor(propagator: TextMapPropagator | undefined) {
    this.#own = propagator;
  }

  /** One pass over the raw headers: host, user agent, and whether there is context to extract. The first of each name counts. */
  scan(rawHeaders: readonly string[]): void {
    if (this.#names.length === 0) this.#learnFields();
    const lengths = this.#lengths;
    let host: string | undefined;
    let userAgent: string | undefined;
    let hasField = false;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]!;
      const { length } = name;
      if (length === 4) {
        if (host === undefined && (name === 'Host' || name === 'host' || name.toLowerCase() === 'host')) {
          host = rawHeaders[i + 1];
        }
      } else if (length === 10 && userAgent === undefined && isUserAgent(name)) {
        userAgent = rawHeaders[i + 1];
      } else if (lengths[length] === true && this.#names.includes(name.toLowerCase())) {
        hasField = true;
      }
    }
    this.host = host;
    this.userAgent = userAgent;
    this.#hasField = hasField;
  }

  /** The context of the headers last scanned. */
  extract(request: IncomingMessage): Context {
    return this.#hasField ? this.extractFrom(request.headers) : ROOT_CONTEXT;
  }

  extractFrom(headers: HeaderCarrier): Context {
    return (this.#own ?? propagation).extract(ROOT_CONTEXT, headers, getter);
  }

  /** The global propagator may be registered after the server is traced: asked until it names a header. */
  #learnFields(): void {
    const names = (this.#own ?? propagation).fields().map((name) => name.toLowerCase());
    const lengths: boolean[] = new Array(Math.max(0, ...names.map((name) => name.length)) + 1).fill(false);
    for (const name of names) lengths[name.length] = true;
    this.#names = names;
    this.#lengths = lengths;
  }
}

function isUserAgent(name: string): boolean {
  return name === 'User-Agent' || name === 'user-agent' || name.toLowerCase() === 'user-agent';
}
