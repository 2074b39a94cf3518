/**
 * Where each copy of the OpenTelemetry API, and of its logs API, finds what is registered.
 */
const REGISTRIES = [Symbol.for('opentelemetry.js.api.1'), Symbol.for('io.opentelemetry.js.api.logs')] as const;

type Global = { [registry: symbol]: unknown };

/**
 * Called in the realm of the process: what is registered there is registered in `realm`, too, where that has
 * nothing of its own.
 *
 * @param realm the `globalThis` of another one
 * @param beforeUse called before each use of the API there: a copy of it in another realm is in no list of
 * copies that a stand-in is given
 */
export function joinRealm(realm: object, beforeUse = () => {}): void {
  for (const registry of REGISTRIES) {
    if (registry in realm) continue;
    Object.defineProperty(realm, registry, {
      configurable: true,
      get: () => {
        beforeUse();
        return (globalThis as Global)[registry];
      },
      set: (value) => {
        (globalThis as Global)[registry] = value;
      },
    });
  }
}
