/**
 * Jest, and Vitest's VM pools, run a test file in a realm of its own (node:vm), with other globals and other
 * copies of all modules than the process has. Tracing belongs to the process, so it runs in the main realm:
 * the one in which the process began.
 *
 * @module
 */
import { createRequire } from 'node:module';

/** Node's own functions belong to the main realm. */
const FunctionOfMain = createRequire.constructor as FunctionConstructor;

/** Whether this code runs in the main realm. */
export const isMainRealm = FunctionOfMain === Function;

/**
 * Node's `require` of the main realm, which has the process's modules and module system.
 *
 * @param url the caller's `import.meta.url`
 */
export function requireInMainRealm(url: string): NodeJS.Require {
  if (isMainRealm) return createRequire(url);
  const main = FunctionOfMain('return globalThis')() as typeof globalThis;
  return main.process.getBuiltinModule('node:module').createRequire(url);
}
