/**
 * `context.with` and `context.active` past the API's layers. `with` copies arguments twice, binds the
 * function and looks up the registered manager, for each request; the SDK's own context manager keeps the
 * context in an AsyncLocalStorage that can be run directly.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, context, ROOT_CONTEXT } from '@opentelemetry/api';

let storage: AsyncLocalStorage<Context> | undefined;

/**
 * Looks for the storage of the context manager that is registered now: called with each new connection, not
 * each request.
 */
export function findContextStorage(): void {
  const { _getContextManager } = context as unknown as { _getContextManager?(): { _asyncLocalStorage?: unknown } };
  const found = _getContextManager?.call(context)._asyncLocalStorage;
  storage = found instanceof AsyncLocalStorage ? found : undefined;
}

export function activeContext(): Context {
  return storage === undefined ? context.active() : (storage.getStore() ?? ROOT_CONTEXT);
}

/** Runs `fn` with `active` as the active context. */
export function runInContext<Args extends unknown[], Result>(
  active: Context,
  fn: (...args: Args) => Result,
  ...args: Args
): Result {
  return storage === undefined ? context.with(active, fn, undefined, ...args) : storage.run(active, fn, ...args);
}
