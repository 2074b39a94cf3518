/**
 * The names under which each copy of the OpenTelemetry API, and of its logs API, finds what is registered.
 */
const REGISTRIES = [Symbol.for('opentelemetry.js.api.1'), Symbol.for('io.opentelemetry.js.api.logs')] as const;

type Global = { [registry: symbol]: unknown };

/**
 * Registers in `realm` what is registered in the main realm, unless `realm` has registrations of its own.
 * Called in the main realm.
 *
 * @param realm the `globalThis` of the other realm
 * @param beforeUse called before each use of the API there: stand-ins are not put into copies of the API in
 * other realms
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
