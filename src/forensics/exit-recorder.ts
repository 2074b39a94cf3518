/**
 * Writes into the vitals page how this process ends, as it knows it: its exit code and, where one ended it,
 * the exception. It changes nothing about what Node does, and an application that counts listeners sees none
 * on signals or `uncaughtException`.
 *
 * @module
 */
import type { ExitRecord, VitalsWriter } from '../journal/vitals.js';
import type { ExitCause } from './exit-cause.js';

/** An application that has caught an exception may take its time to end because of it. */
const ENDS_WITHIN_MS = 30_000;

interface Thrown {
  record: ExitRecord;
  atMs: number;
}

export class ExitRecorder {
  readonly #vitals: () => VitalsWriter | undefined;
  #thrown: Thrown | undefined;

  /** @param vitals is asked at the exit: a process that ends at once makes its page then */
  constructor(vitals: () => VitalsWriter | undefined) {
    this.#vitals = vitals;
    process.on('uncaughtExceptionMonitor', this.#onException);
  }

  /** To be called in `process.on('exit')`. */
  record(code: number): void {
    const vitals = this.#vitals();
    if (vitals === undefined) return;
    const thrown = this.#thrown;
    const threw = thrown !== undefined && code !== 0 && performance.now() - thrown.atMs < ENDS_WITHIN_MS;
    vitals.recordExit(threw ? { ...thrown.record, code } : { code, cause: 'exit' satisfies ExitCause });
  }

  stop(): void {
    process.off('uncaughtExceptionMonitor', this.#onException);
  }

  readonly #onException = (error: unknown, origin: string): void => {
    const cause: ExitCause = origin === 'unhandledRejection' ? 'unhandled_rejection' : 'uncaught_exception';
    this.#thrown = { record: { cause, ...describe(error) }, atMs: performance.now() };
  };
}

/** Whatever was thrown: getters of a hostile error throw again. */
function describe(error: unknown): Pick<ExitRecord, 'exceptionType' | 'message' | 'stack'> {
  try {
    if (!(error instanceof Error)) return { message: String(error) };
    const { name, message, stack } = error;
    return {
      exceptionType: String(name),
      message: String(message),
      stack: stack === undefined ? undefined : String(stack),
    };
  } catch {
    return {};
  }
}
