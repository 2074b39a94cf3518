import type { ExitCause } from '../forensics/exit-cause.js';
import type { SlotDeath } from './crash-loop-report.js';

const HOUR_MS = 3_600_000;

/** Why and when the last process of a slot ended. */
export interface LastExit {
  /** Why it ended. */
  cause: ExitCause;
  /** Milliseconds since the epoch. */
  atMs: number;
}

/** Remembers how processes have ended, for each slot. */
export class DeathRecord {
  readonly #last = new Map<number, SlotDeath>();
  /** Unplanned deaths by slot. The crash-loop breaker bounds how many there can be in an hour. */
  readonly #unplanned = new Map<number, SlotDeath[]>();

  /** @returns the recorded death; where it happened may become known later */
  add(slot: number, cause: ExitCause, planned: boolean, where?: string, now = Date.now()): SlotDeath {
    const death: SlotDeath = { cause, atMs: now, where };
    this.#last.set(slot, death);
    if (!planned) this.#unplanned.set(slot, [...this.#lastHour(slot, now), death]);
    return death;
  }

  last(slot: number): LastExit | undefined {
    const last = this.#last.get(slot);
    return last && { cause: last.cause, atMs: last.atMs };
  }

  unplannedLastHour(slot: number, now = Date.now()): number {
    return this.#lastHour(slot, now).length;
  }

  /** The unplanned deaths of all slots within the window, the newest first. */
  unplannedWithin(windowMs: number, now = Date.now()): SlotDeath[] {
    return [...this.#unplanned.values()]
      .flat()
      .filter(({ atMs }) => atMs >= now - windowMs)
      .sort((a, b) => b.atMs - a.atMs);
  }

  #lastHour(slot: number, now: number): SlotDeath[] {
    return (this.#unplanned.get(slot) ?? []).filter(({ atMs }) => atMs > now - HOUR_MS);
  }
}
