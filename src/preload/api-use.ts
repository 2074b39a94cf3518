/**
 * Where every copy of the OpenTelemetry API 1.x in a process finds what is registered: its own source,
 * `global-utils`.
 */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

type Global = { [REGISTRY]?: { trace?: unknown } };

/** Whether an SDK has registered a tracer provider. */
export function isProviderRegistered(): boolean {
  return (globalThis as Global)[REGISTRY]?.trace !== undefined;
}

/**
 * Calls back once, before the API does its first call of any kind: at once where something is registered
 * already. The API is sixty files, which a process that never calls it need not load: each of its calls reads
 * the registry first.
 */
export function beforeApiUse(callBack: () => void): void {
  if (REGISTRY in globalThis) {
    callBack();
    return;
  }
  const global = globalThis as Global;
  const first = () => {
    delete global[REGISTRY];
    callBack();
  };
  Object.defineProperty(global, REGISTRY, {
    configurable: true,
    get() {
      first();
      return global[REGISTRY];
    },
    set(registry: object) {
      first();
      global[REGISTRY] = registry;
    },
  });
}
