import type { ExitCause } from '../forensics/exit-cause.js';

const HOUR_MS = 3_600_000;

/** Why and when the last process of a slot ended. */
export interface LastExit {
  cause: ExitCause;
  /** Milliseconds since the epoch. */
  atMs: number;
}

/** How processes have ended, per slot. */
export class DeathRecord {
  readonly #last = new Map<number, LastExit>();
  /** Times of unplanned deaths; the crash-loop breaker bounds how many there are in an hour. */
  readonly #unplanned = new Map<number, number[]>();

  add(slot: number, cause: ExitCause, planned: boolean, now = Date.now()): void {
    this.#last.set(slot, { cause, atMs: now });
    if (!planned) this.#unplanned.set(slot, [...this.#lastHour(slot, now), now]);
  }

  /** What is known later, and better. */
  correct(slot: number, cause: ExitCause): void {
    const last = this.#last.get(slot);
    if (last) this.#last.set(slot, { ...last, cause });
  }

  last(slot: number): LastExit | undefined {
    return this.#last.get(slot);
  }

  unplannedLastHour(slot: number, now = Date.now()): number {
    return this.#lastHour(slot, now).length;
  }

  #lastHour(slot: number, now: number): number[] {
    return (this.#unplanned.get(slot) ?? []).filter((at) => at > now - HOUR_MS);
  }
}
