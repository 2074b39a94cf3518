/**
 * The crash-loop breaker, as a state machine. Too many unplanned deaths within a window open it, and no
 * worker is respawned. After a while one slot is tried (half-open): if that worker becomes ready, the breaker
 * closes; if it dies, the breaker opens again.
 *
 * @module
 */
import type { SupervisePolicy } from './policy.js';

export type Breaker =
  | { readonly state: 'closed'; readonly deaths: readonly number[] }
  | { readonly state: 'open'; readonly until: number }
  | { readonly state: 'half-open'; readonly probe: number };

export const closedBreaker: Breaker = { state: 'closed', deaths: [] };

/** Records an unplanned death in `slot`. */
export function breakerDeath(breaker: Breaker, slot: number, policy: SupervisePolicy, now: number): Breaker {
  if (breaker.state === 'open') return breaker;
  if (breaker.state === 'half-open') {
    return breaker.probe === slot ? { state: 'open', until: now + policy.breakerOpenMs } : breaker;
  }
  const deaths = [...breaker.deaths.filter((at) => at > now - policy.breakerWindowMs), now];
  return deaths.length >= policy.breakerDeaths
    ? { state: 'open', until: now + policy.breakerOpenMs }
    : { state: 'closed', deaths };
}

/** Records that a worker is ready in `slot`. */
export function breakerReady(breaker: Breaker, slot: number): Breaker {
  return breaker.state === 'half-open' && breaker.probe === slot ? closedBreaker : breaker;
}

/**
 * Whether `slot` may be respawned now. An open breaker whose time is up half-opens for the first slot that
 * asks.
 */
export function breakerPermit(breaker: Breaker, slot: number, now: number): { breaker: Breaker; permitted: boolean } {
  if (breaker.state === 'closed') return { breaker, permitted: true };
  if (breaker.state === 'half-open') return { breaker, permitted: breaker.probe === slot };
  return now < breaker.until
    ? { breaker, permitted: false }
    : { breaker: { state: 'half-open', probe: slot }, permitted: true };
}
