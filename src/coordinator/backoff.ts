import type { SupervisePolicy } from './policy.js';

/**
 * The wait in milliseconds before the respawn that follows `failures` deaths in a row. It doubles from
 * `backoffMinMs` to `backoffMaxMs`. Its upper half is random, so that workers that died together do not start
 * again together.
 *
 * @param random in [0, 1)
 */
export function backoffMs(failures: number, policy: SupervisePolicy, random: number): number {
  const full = Math.min(policy.backoffMaxMs, policy.backoffMinMs * 2 ** Math.max(0, failures - 1));
  return Math.round(full / 2 + (full / 2) * random);
}
