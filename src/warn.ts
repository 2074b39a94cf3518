/**
 * How forktrace speaks to the operator: process warnings, which Node prints once on stderr and apps can listen to.
 *
 * @module
 */

/** One warning with a stable code, for `process.on('warning')`. */
export function warn(code: `FORKTRACE_${string}`, message: string): void {
  process.emitWarning(message, { type: 'ForktraceWarning', code });
}

/** As {@link warn}, but in this turn: an exit runs no other. */
function warnNow(code: `FORKTRACE_${string}`, message: string): void {
  process.emit('warning', Object.assign(new Error(message), { name: 'ForktraceWarning', code }));
}

const FIRST_INTERVAL_MS = 60_000;
const LONGEST_INTERVAL_MS = 3_600_000;

/** Counts what is lost and says so at once, then at growing intervals: 1 minute, doubling up to 1 hour, and at the end. */
export class LossReport {
  /** All that was lost since the start. */
  total = 0;
  #unreported = 0;
  #reason = '';
  #intervalMs = FIRST_INTERVAL_MS;
  #nextReportAt = 0;
  readonly #code: `FORKTRACE_${string}`;
  readonly #describe: (lost: number, reason: string) => string;

  constructor(code: `FORKTRACE_${string}`, describe: (lost: number, reason: string) => string) {
    this.#code = code;
    this.#describe = describe;
  }

  /** @returns whether it has been said just now */
  add(lost: number, reason: string, now = performance.now()): boolean {
    this.total += lost;
    this.#unreported += lost;
    this.#reason = reason;
    if (now < this.#nextReportAt) return false;
    warn(this.#code, this.#describe(this.#unreported, reason));
    if (this.#nextReportAt !== 0) this.#intervalMs = Math.min(this.#intervalMs * 2, LONGEST_INTERVAL_MS);
    this.#nextReportAt = now + this.#intervalMs;
    this.#unreported = 0;
    return true;
  }

  /** What was counted is over: nothing of it is left to say. @param anew whether what comes next is said at once */
  forget(anew: boolean): void {
    this.#unreported = 0;
    this.#intervalMs = FIRST_INTERVAL_MS;
    if (anew) this.#nextReportAt = 0;
  }

  /** Says at once what has not been said yet, also in `process.on('exit')`. What is lost afterwards is said as from the start. */
  end(): void {
    this.#nextReportAt = 0;
    this.#intervalMs = FIRST_INTERVAL_MS;
    if (this.#unreported === 0) return;
    warnNow(this.#code, this.#describe(this.#unreported, this.#reason));
    this.#unreported = 0;
  }
}
