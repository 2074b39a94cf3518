import { type Context, diag, type TextMapGetter, type TextMapPropagator, type TextMapSetter } from '@opentelemetry/api';
import { isPromise } from '../report-failure.js';

/**
 * A propagator of the user's, whose errors stay here: outgoing instrumentations call it in the middle of the
 * app's requests. What it throws goes to the API's `diag`, as with the SDK's composite.
 */
export class GuardedPropagator implements TextMapPropagator {
  readonly #propagator: TextMapPropagator;

  constructor(propagator: TextMapPropagator) {
    this.#propagator = propagator;
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    try {
      isPromise(this.#propagator.inject(context, carrier, setter), 'A propagator rejected in inject()');
    } catch (error) {
      diag.warn('A propagator threw in inject(); the other side gets no context of it', error);
    }
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    try {
      const extracted: Context | undefined = this.#propagator.extract(context, carrier, getter);
      isPromise(extracted, 'A propagator rejected in extract()');
      // Nothing, or something else that is no context, would throw in whoever asks it for the span.
      return typeof extracted?.getValue === 'function' ? extracted : context;
    } catch (error) {
      diag.warn('A propagator threw in extract(); what it would have read is not taken', error);
      return context;
    }
  }

  fields(): string[] {
    try {
      const fields: Iterable<string> | undefined = this.#propagator.fields();
      return isPromise(fields, 'A propagator rejected in fields()') ? [] : [...(fields ?? [])];
    } catch (error) {
      diag.warn('A propagator threw in fields(); it names none', error);
      return [];
    }
  }
}
