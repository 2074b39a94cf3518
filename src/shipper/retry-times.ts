/**
 * When an endpoint is tried again: at once after it has taken something, after growing waits while it fails.
 *
 * @module
 */
import type { SendResult } from './transport.js';

const BACKOFF_MIN_MS = 250;
const BACKOFF_MAX_MS = 5000;
/** While a login or an address is wrong: so many times the least. */
const BLOCKED_TIMES = 4;
const BLOCKED_MAX_MS = 60_000;

/** It has not been taken, and may be later. */
export type Failed = Extract<SendResult, { outcome: 'retry' | 'blocked' }>;

export class RetryTimes {
  /** `performance.now()` before which nothing is tried. */
  notBefore = 0;
  readonly #leastMs: number;
  #backoffMs: number;
  #blockedMs: number;
  #stopAt: number | undefined;
  /** Stopped, and there is no time for another try. */
  gaveUp = false;
  /** The last request has not reached the endpoint, and so may the next. */
  isUnreached = false;

  /** @param leastMs the first wait, in milliseconds */
  constructor(leastMs: number = BACKOFF_MIN_MS) {
    this.#leastMs = this.#backoffMs = leastMs;
    this.#blockedMs = leastMs * BLOCKED_TIMES;
  }

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
    this.isUnreached = false;
    this.#backoffMs = this.#leastMs;
    this.#blockedMs = this.#leastMs * BLOCKED_TIMES;
  }

  /** Login or certificates have changed. */
  targetChanged(): void {
    this.notBefore = 0;
    this.#blockedMs = this.#leastMs * BLOCKED_TIMES;
  }

  /** There is nothing to send with, or nobody has said yet with what. */
  cannotSend(): void {
    this.notBefore = performance.now() + BLOCKED_MAX_MS;
  }

  failed(result: Failed): void {
    this.isUnreached = result.outcome === 'retry' && !result.doubtful;
    if (result.outcome === 'blocked') {
      this.#wait(this.#blockedMs);
      this.#blockedMs = Math.min(this.#blockedMs * 2, BLOCKED_MAX_MS);
      if (this.isStopping) this.gaveUp = true;
      return;
    }
    const { afterMs = 0 } = result;
    // One that asks to be asked again at once, each time, is not asked a hundred times a second.
    this.#wait(afterMs >= this.#leastMs ? afterMs : this.#backoffMs * (0.5 + Math.random() / 2));
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS);
  }

  #wait(waitMs: number): void {
    this.notBefore = performance.now() + waitMs;
    if (this.#stopAt !== undefined && this.notBefore > this.#stopAt) this.gaveUp = true;
  }
}
