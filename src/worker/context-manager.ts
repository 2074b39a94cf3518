import * as own from '@opentelemetry/api';
import { type Context, context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Api } from '../instrumentation/api-copies.js';
import { AsyncLocalStorageContextManager } from '../sdk/context-manager.js';

let registered = false;
let manager: AsyncLocalStorageContextManager | undefined;

/**
 * Sets the context that is active where no other is; {@link ROOT_CONTEXT} undoes it. It costs nothing where
 * it is not used.
 */
export function setProcessContext(processContext: Context): void {
  if (manager === undefined) return;
  const active = Object.getPrototypeOf(manager).active as () => Context;
  if (processContext === ROOT_CONTEXT) manager.active = active;
  else {
    manager.active = function activeOrProcess(this: AsyncLocalStorageContextManager) {
      const current = active.call(this);
      return current === ROOT_CONTEXT ? processContext : current;
    };
  }
}

/**
 * Registers forktrace's context manager with the API, unless that has been done: before the first span is
 * active.
 *
 * @param api the copy of the API to register with
 * @returns false when another SDK's context manager is registered
 */
export function registerContextManager(api: Pick<Api, 'context'> = own): boolean {
  if (registered) return true;
  manager = new AsyncLocalStorageContextManager().enable();
  registered = api.context.setGlobalContextManager(manager);
  if (!registered) manager.disable();
  return registered;
}

export function unregisterContextManager(): void {
  context.disable();
  registered = false;
}
