/**
 * Writes into the vitals page how this process ends, as it knows it: its exit code, where one ended it the
 * exception, or where `process.exit` or `process.abort` was called, or a signal was sent to itself; and the
 * span that was active there. It changes nothing about what Node does, and an application that counts
 * listeners sees none on signals or `uncaughtException`.
 *
 * @module
 */
import { isMainThread } from 'node:worker_threads';
import type { ExitRecord, VitalsWriter } from '../journal/vitals.js';
import type { ActiveSpan } from '../process/active-span.js';
import { exitCodeNow } from '../process/exit-code.js';
import { signalName } from '../process/signal-names.js';
import { causeOfExit, type ExitCause } from './exit-cause.js';
import type { Snapshot } from './snapshot.js';

/** An application that has caught an exception may take its time to end because of it. */
const ENDS_WITHIN_MS = 30_000;
/** One that says code 0, as pm2's cluster mode makes of every exception, ends for another reason later. */
const ENDS_WELL_WITHIN_MS = 1000;

/** Signals that a process without a listener lives on after, as Node.js or the system has it: signal(7). */
const LIVES_ON: readonly (string | undefined)[] = [
  'SIGCHLD',
  'SIGCONT',
  'SIGSTOP',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGURG',
  'SIGWINCH',
  'SIGPIPE',
  'SIGUSR1',
];

interface Thrown {
  record: ExitRecord;
  atMs: number;
}

export class ExitRecorder {
  readonly #vitals: () => VitalsWriter | undefined;
  readonly #flush: () => void;
  readonly #active: (error?: unknown) => ActiveSpan | undefined;
  readonly #abort = process.abort;
  readonly #kill = process.kill;
  #thrown: Thrown | undefined;
  #exit: ExitRecord | undefined;

  /**
   * @param vitals is asked at the exit: a process that ends at once makes its page then
   * @param flush is called before an end that no listener of `exit` hears of: brings to the files what has
   * not been written yet
   * @param active the span that is active where it is asked, or that was where the error was thrown
   */
  constructor(
    vitals: () => VitalsWriter | undefined,
    flush: () => void,
    active: (error?: unknown) => ActiveSpan | undefined,
  ) {
    this.#vitals = vitals;
    this.#flush = flush;
    this.#active = active;
    process.on('uncaughtExceptionMonitor', this.#onException);
    // In a thread it throws: an exception as any other.
    if (isMainThread) process.abort = this.#onAbort;
    process.kill = this.#onKill;
  }

  /**
   * To be called in `process.on('exit')`, and once more where a listener may have changed the code: what the
   * code was first is nearer to the cause in all else.
   */
  record(code: number): void {
    if (code === this.#exit?.code) return;
    const vitals = this.#vitals();
    if (vitals === undefined) return;
    this.#exit = { ...(this.#exit ?? this.#endsBy(code)), code };
    vitals.recordExit(this.#exit);
  }

  #endsBy(code: number): ExitRecord {
    const thrown = this.#thrown;
    const endsWithinMs = code === 0 ? ENDS_WELL_WITHIN_MS : ENDS_WITHIN_MS;
    const threw = thrown !== undefined && performance.now() - thrown.atMs < endsWithinMs;
    return threw ? thrown.record : this.#calledBy(process.exit, 'exit');
  }

  /** V8 runs out of heap memory: what ran then. */
  ranOutOfHeap({ stack, active }: Snapshot): void {
    // It may find memory after all.
    this.#vitals()?.recordExit({ cause: 'heap_out_of_memory', stack, active });
  }

  stop(): void {
    process.off('uncaughtExceptionMonitor', this.#onException);
    if (process.abort === this.#onAbort) process.abort = this.#abort;
    if (process.kill === this.#onKill) process.kill = this.#kill;
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
    const isRejection = origin === 'unhandledRejection' && !isOfMainModule(stackBelow(this.#onException));
    const cause: ExitCause = isRejection ? 'unhandled_rejection' : 'uncaught_exception';
    const record = { cause, ...describe(error), active: this.#activeSpan(error) };
    this.#thrown = { record, atMs: performance.now() };
    // In a listener of `exit`: those that come after it are not called, and the code is 1 if it was none.
    if (this.#exit === undefined || process.listenerCount('uncaughtException') > 0) return;
    this.#vitals()?.recordExit({ ...record, code: exitCodeNow(1) });
  };

  // No event comes before it, and nothing in JavaScript after it.
  readonly #onAbort = ((recorder: ExitRecorder) =>
    function abort(): never {
      recorder.#vitals()?.recordExit(recorder.#calledBy(abort, 'abort'));
      recorder.#flush();
      return recorder.#abort.call(process);
    })(this);

  // Nor before the signal that a process sends to itself, as after a clean-up at that signal.
  readonly #onKill = ((recorder: ExitRecorder) =>
    function kill(pid: number, signal: string | number = 'SIGTERM'): true {
      const name = typeof signal === 'number' ? signalName(signal) : (signal as NodeJS.Signals);
      if (name !== undefined && isOwn(pid) && endsBy(name)) {
        const called = recorder.#calledBy(kill, causeOfExit({ signal: name }));
        recorder.#vitals()?.recordExit({ ...(passesOn(called) ? { cause: called.cause } : called), signal: name });
        recorder.#flush();
      }
      return recorder.#kill.call(process, pid, signal);
    })(this);
}

/** This process, or its group: kill(2). */
const isOwn = (pid: number) => pid === 0 || Math.abs(pid) === process.pid;

/** A thread does not see who listens in the main thread. */
function endsBy(signal: NodeJS.Signals): boolean {
  if (!isMainThread) return signal === 'SIGKILL';
  return !LIVES_ON.includes(signal) && process.listenerCount(signal) === 0;
}

/** What the main module throws ends a promise of Node's loader, with which Node calls it a rejection. */
const isOfMainModule = (stack = '') => stack.includes('(node:internal/modules/run_main:');

/** A handler, as that of `signal-exit`, passes on what has come from outside; so does what is in no span. */
const passesOn = ({ stack = '', active }: ExitRecord) =>
  active === undefined || stack.includes(' at process.emit (node:events:');

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
