/**
 * When an endpoint is tried again: at once after it has taken something, after growing waits while it fails.
 *
 * @module
 */
import type { SendResult } from './transport.js';

const BACKOFF_MIN_MS = 250;
const BACKOFF_MAX_MS = 5000;
/** While a login or an address is wrong. */
const BLOCKED_MIN_MS = 1000;
const BLOCKED_MAX_MS = 60_000;

/** It has not been taken, and may be later. */
export type Failed = Extract<SendResult, { outcome: 'retry' | 'blocked' }>;

export class RetryTimes {
  /** `performance.now()` before which nothing is tried. */
  notBefore = 0;
  #backoffMs = BACKOFF_MIN_MS;
  #blockedMs = BLOCKED_MIN_MS;
  #stopAt: number | undefined;
  /** Stopped, and there is no time for another try. */
  gaveUp = false;

  /** Whether what is not taken soon is left. */
  get isStopping(): boolean {
    return this.#stopAt !== undefined;
  }

  /** What would be tried after `stopAt` is not tried. */
  stop(stopAt: number): void {
    this.#stopAt = stopAt;
    // Whoever has mended something since has one try more.
    this.notBefore = 0;
  }

  /** Something was taken. */
  succeeded(): void {
    this.notBefore = 0;
    this.#backoffMs = BACKOFF_MIN_MS;
    this.#blockedMs = BLOCKED_MIN_MS;
  }

  /** Login or certificates have changed. */
  targetChanged(): void {
    this.notBefore = 0;
    this.#blockedMs = BLOCKED_MIN_MS;
  }

  /** There is nothing to send with, or nobody has said yet with what. */
  cannotSend(): void {
    this.notBefore = performance.now() + BLOCKED_MAX_MS;
  }

  failed(result: Failed): void {
    if (result.outcome === 'blocked') {
      this.#wait(this.#blockedMs);
      this.#blockedMs = Math.min(this.#blockedMs * 2, BLOCKED_MAX_MS);
      if (this.isStopping) this.gaveUp = true;
      return;
    }
    const { afterMs = 0 } = result;
    // One that asks to be asked again at once, each time, is not asked a hundred times a second.
    this.#wait(afterMs >= BACKOFF_MIN_MS ? afterMs : this.#backoffMs * (0.5 + Math.random() / 2));
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS);
  }

  #wait(waitMs: number): void {
    this.notBefore = performance.now() + waitMs;
    if (this.#stopAt !== undefined && this.notBefore > this.#stopAt) this.gaveUp = true;
  }
}
