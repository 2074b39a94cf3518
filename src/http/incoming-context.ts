import type { IncomingHttpHeaders } from 'node:http';
import {
  type Context,
  propagation,
  ROOT_CONTEXT,
  type TextMapGetter,
  type TextMapPropagator,
} from '@opentelemetry/api';
import { ContextFields, type RequestHead } from './request-head.js';

const getter: TextMapGetter<IncomingHttpHeaders> = {
  get: (headers, name) => headers[name.toLowerCase()],
  keys: (headers) => Object.keys(headers),
};

const NO_FIELDS = new ContextFields([]);

/** The caller's context, by the configured propagator or the API's global one. */
export class IncomingContext {
  readonly #propagator: TextMapPropagator | undefined;
  #fields = NO_FIELDS;

  constructor(propagator: TextMapPropagator | undefined) {
    this.#propagator = propagator;
  }

  /** The global propagator may be registered after the server is traced: asked until it names a header. */
  get fields(): ContextFields {
    if (this.#fields === NO_FIELDS) {
      const names = (this.#propagator ?? propagation).fields();
      if (names.length > 0) this.#fields = new ContextFields(names);
    }
    return this.#fields;
  }

  extract(head: RequestHead): Context {
    // A request starts a trace of its own when it names none, whatever was active when the connection was accepted.
    if (!head.hasContext) return ROOT_CONTEXT;
    return (this.#propagator ?? propagation).extract(ROOT_CONTEXT, head.headers, getter);
  }
}
