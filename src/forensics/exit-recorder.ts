/**
 * Writes into the vitals page how this process ends, as it knows it: its exit code, where one ended it the
 * exception, or where `process.exit` or `process.abort` was called; and the span that was active there. It
 * changes nothing about what Node does, and an application that counts listeners sees none on signals or
 * `uncaughtException`.
 *
 * @module
 */
import { isMainThread } from 'node:worker_threads';
import type { ExitRecord, VitalsWriter } from '../journal/vitals.js';
import type { ActiveSpan } from '../process/active-span.js';
import type { ExitCause } from './exit-cause.js';
import type { Snapshot } from './snapshot.js';

/** An application that has caught an exception may take its time to end because of it. */
const ENDS_WITHIN_MS = 30_000;
/** One that says code 0, as pm2's cluster mode makes of every exception, ends for another reason later. */
const ENDS_WELL_WITHIN_MS = 1000;

interface Thrown {
  record: ExitRecord;
  atMs: number;
}

export class ExitRecorder {
  readonly #vitals: () => VitalsWriter | undefined;
  readonly #active: (error?: unknown) => ActiveSpan | undefined;
  readonly #abort = process.abort;
  #thrown: Thrown | undefined;
  #recorded: number | undefined;

  /**
   * @param vitals is asked at the exit: a process that ends at once makes its page then
   * @param active the span that is active where it is asked, or that was where the error was thrown
   */
  constructor(vitals: () => VitalsWriter | undefined, active: (error?: unknown) => ActiveSpan | undefined) {
    this.#vitals = vitals;
    this.#active = active;
    process.on('uncaughtExceptionMonitor', this.#onException);
    // In a thread it throws: an exception as any other.
    if (isMainThread) process.abort = this.#onAbort;
  }

  /** To be called in `process.on('exit')`, and once more where a listener may have changed the code. */
  record(code: number): void {
    if (code === this.#recorded) return;
    this.#recorded = code;
    const vitals = this.#vitals();
    if (vitals === undefined) return;
    const thrown = this.#thrown;
    const endsWithinMs = code === 0 ? ENDS_WELL_WITHIN_MS : ENDS_WITHIN_MS;
    const threw = thrown !== undefined && performance.now() - thrown.atMs < endsWithinMs;
    vitals.recordExit(threw ? { ...thrown.record, code } : { code, ...this.#calledBy(process.exit, 'exit') });
  }

  /** V8 runs out of heap memory: what ran then. */
  ranOutOfHeap({ stack, active }: Snapshot): void {
    // It may find memory after all.
    this.#vitals()?.recordExit({ cause: 'heap_out_of_memory', stack, active }, 'until another');
  }

  stop(): void {
    process.off('uncaughtExceptionMonitor', this.#onException);
    if (process.abort === this.#onAbort) process.abort = this.#abort;
  }

  /** Where nobody has called, nothing was left to do: then there is no stack, and no span. */
  #calledBy(call: (...args: never[]) => unknown, cause: ExitCause): ExitRecord {
    const stack = stackBelow(call);
    return stack === undefined ? { cause } : { cause, stack, active: this.#activeSpan() };
  }

  #activeSpan(error?: unknown): ActiveSpan | undefined {
    try {
      return this.#active(error);
    } catch {
      // A context manager of the app's own.
      return undefined;
    }
  }

  readonly #onException = (error: unknown, origin: string): void => {
    const cause: ExitCause = origin === 'unhandledRejection' ? 'unhandled_rejection' : 'uncaught_exception';
    const record = { cause, ...describe(error), active: this.#activeSpan(error) };
    this.#thrown = { record, atMs: performance.now() };
  };

  // No event comes before it, and nothing in JavaScript after it.
  readonly #onAbort = ((recorder: ExitRecorder) =>
    function abort(): never {
      recorder.#vitals()?.recordExit(recorder.#calledBy(abort, 'abort'));
      return recorder.#abort.call(process);
    })(this);
}

const MOST_FRAMES = 50;

/** The frames that called a function; undefined where it is not on the stack. */
function stackBelow(call: (...args: never[]) => unknown): string | undefined {
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = MOST_FRAMES;
    const taken: { stack?: unknown } = {};
    Error.captureStackTrace(taken, call);
    const frames = String(taken.stack)
      .split('\n')
      .filter((line) => line.startsWith('    at '));
    return frames.length === 0 ? undefined : frames.join('\n');
  } catch {
    // The application's own Error.prepareStackTrace throws, or intrinsics are frozen.
    return undefined;
  } finally {
    try {
      Error.stackTraceLimit = stackTraceLimit;
    } catch {
      // As above.
    }
  }
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
