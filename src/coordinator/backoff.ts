import type { SupervisePolicy } from './policy.js';

/**
 * The wait before the respawn that follows `failures` deaths in a row: doubles from `backoffMinMs` to
 * `backoffMaxMs`, of which the upper half is random, so that workers that died together do not come back
 * together.
 *
 * @param random in [0, 1)
 */
export function backoffMs(failures: number, policy: SupervisePolicy, random: number): number {
  const full = Math.min(policy.backoffMaxMs, policy.backoffMinMs * 2 ** Math.max(0, failures - 1));
  return Math.round(full / 2 + (full / 2) * random);
}
