/**
 * `context.active` and `context.with` past the API's layers. Both look up the registered manager by way of
 * its version, and `with` copies arguments twice and binds the function, for each span; the SDK's own context
 * manager keeps the context in an AsyncLocalStorage that can be asked and run directly.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, context } from '@opentelemetry/api';

/** Where every copy of the API keeps what is registered with it. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

interface Manager {
  _asyncLocalStorage?: unknown;
}

let known: Manager | undefined;
let storage: AsyncLocalStorage<Context> | undefined;

/**
 * The storage of the context manager that is registered now; undefined where that has to be asked itself.
 */
export function contextStorage(): AsyncLocalStorage<Context> | undefined {
  const registered = (globalThis as { [REGISTRY]?: { context?: Manager } })[REGISTRY]?.context;
  if (registered !== known) {
    known = registered;
    storage = registered && storageOf(registered);
  }
  return storage;
}

/** What is active where the program has not made anything so is for the manager to say. */
export function activeContext(): Context {
  return contextStorage()?.getStore() ?? context.active();
}

/** A manager that extends the SDK's may do more than run: Sentry's gives each context a scope of its own. */
function storageOf(manager: Manager): AsyncLocalStorage<Context> | undefined {
  const { _asyncLocalStorage: found } = manager;
  if (!(found instanceof AsyncLocalStorage) || Object.hasOwn(manager, 'with')) return undefined;
  const sdk = Object.getPrototypeOf(manager);
  const abstract = Object.getPrototypeOf(sdk);
  return Object.getPrototypeOf(abstract) === Object.prototype ? found : undefined;
}
