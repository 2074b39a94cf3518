import { type Context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

/** The API's own key: `trace.getSpan` asks a context for it. */
export const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN');

/**
 * A context with one more value than its parent.
 *
 * The API's own context copies a Map and makes three closures per value; a request's context is asked for one
 * or two values and derived from a few times, for which a link to the parent is cheaper.
 */
export class DerivedContext implements Context {
  readonly parent: Context;
  readonly key: symbol;
  readonly value: unknown;

  constructor(parent: Context, key: symbol, value: unknown) {
    this.parent = parent;
    this.key = key;
    this.value = value;
  }

  getValue(key: symbol): unknown {
    if (key === this.key) return this.value;
    // The root has nothing, and takes a look into a Map to say so.
    return this.parent === ROOT_CONTEXT ? undefined : this.parent.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    // A value that is set again replaces: nested spans must not grow a chain.
    return new DerivedContext(key === this.key ? this.parent : this, key, value);
  }

  deleteValue(key: symbol): Context {
    return new DerivedContext(key === this.key ? this.parent : this, key, undefined);
  }
}
