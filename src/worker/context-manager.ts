import { createRequire } from 'node:module';
import { context } from '@opentelemetry/api';

let registered = false;

/**
 * Registers our context manager with the API, if it is not yet. It is loaded here and at once: a preload must have it before
 * the first span is active, and nothing of it before.
 *
 * @returns false when another SDK's is registered
 */
export function registerContextManager(): boolean {
  if (registered) return true;
  const { AsyncLocalStorageContextManager } = createRequire(import.meta.url)(
    '../sdk/context-manager.js',
  ) as typeof import('../sdk/context-manager.js');
  const manager = new AsyncLocalStorageContextManager().enable();
  registered = context.setGlobalContextManager(manager);
  if (!registered) manager.disable();
  return registered;
}

export function unregisterContextManager(): void {
  context.disable();
  registered = false;
}
