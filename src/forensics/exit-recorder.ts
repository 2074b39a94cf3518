/**
 * Writes into the vitals page how this process ends: its exit code; the exception that ended it, or where it
 * called `process.exit` or `process.abort`, or sent itself a signal; and the span that was active there. It
 * does not change how Node ends the process. It adds no listener for signals or `uncaughtException`, because
 * some applications count these listeners.
 *
 * @module
 */
import { isMainThread } from 'node:worker_threads';
import type { ExitRecord, VitalsWriter } from '../journal/vitals.js';
import type { ActiveSpan } from '../process/active-span.js';
import { exitCodeNow } from '../process/exit-code.js';
import { endsNamespace } from '../process/pid-namespace.js';
import { hear } from '../process/process-events.js';
import { signalName } from '../process/signal-names.js';
import { causeOfExit, type ExitCause } from './exit-cause.js';
import type { Snapshot } from './snapshot.js';

/** Milliseconds: an application that has caught an exception may take a while to end because of it. */
const ENDS_WITHIN_MS = 30_000;
/**
 * Milliseconds for an end with code 0, which is what pm2's cluster mode makes of every exception. A later end
 * with code 0 has another reason.
 */
const ENDS_WELL_WITHIN_MS = 1000;

/** Signals that do not end a process without a listener, in Node.js or in the system: signal(7). */
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

/** What ends the process soon. */
interface Ending {
  record: ExitRecord;
  atMs: number;
}

export class ExitRecorder {
  readonly #vitals: () => VitalsWriter | undefined;
  readonly #flush: (ends: boolean) => void;
  readonly #active: (error?: unknown) => ActiveSpan | undefined;
  readonly #abort = process.abort;
  readonly #kill = process.kill;
  readonly #stopHearing: () => void;
  #thrown: Ending | undefined;
  /** A signal that does not end PID 1: whoever has sent it exits instead. */
  #raised: Ending | undefined;
  #exit: ExitRecord | undefined;

  /**
   * @param vitals called at the exit: a short-lived process makes its vitals page only then
   * @param flush called before an end at which no `exit` event is emitted; writes to the files what has not
   * been written yet. `ends` is false before a signal, which PID 1 of a container lives on after
   * @param active gives the active span, or the span that was active where the error was thrown
   */
  constructor(
    vitals: () => VitalsWriter | undefined,
    flush: (ends: boolean) => void,
    active: (error?: unknown) => ActiveSpan | undefined,
  ) {
    this.#vitals = vitals;
    this.#flush = flush;
    this.#active = active;
    this.#stopHearing = hear('uncaughtExceptionMonitor', this.#onException);
    // In a thread `process.abort` throws, which is an exception as any other.
    if (isMainThread) process.abort = this.#onAbort;
    process.kill = this.#onKill;
  }

  /**
   * Called in `process.on('exit')`, and once more when a listener may have changed the code. Everything but
   * the code stays as it was first recorded, because that is nearer to the cause.
   */
  record(code: number): void {
    if (code === this.#exit?.code) return;
    const vitals = this.#vitals();
    if (vitals === undefined) return;
    this.#exit = { ...(this.#exit ?? this.#endsBy(code)), code };
    vitals.recordExit(this.#exit);
  }

  #endsBy(code: number): ExitRecord {
    if (isRecent(this.#raised, ENDS_WELL_WITHIN_MS)) return this.#raised.record;
    const thrown = this.#thrown;
    const endsWithinMs = code === 0 ? ENDS_WELL_WITHIN_MS : ENDS_WITHIN_MS;
    return isRecent(thrown, endsWithinMs) ? thrown.record : this.#calledBy(process.exit, 'exit');
  }

  /** Records what ran when V8 ran out of heap memory. */
  ranOutOfHeap({ stack, active }: Snapshot): void {
    // V8 may find memory after all, and the process lives on.
    this.#vitals()?.recordExit({ cause: 'heap_out_of_memory', stack, active });
  }

  stop(): void {
    this.#stopHearing();
    if (process.abort === this.#onAbort) process.abort = this.#abort;
    if (process.kill === this.#onKill) process.kill = this.#kill;
  }

  /** When `call` is not on the stack, the event loop was empty: there is no stack and no span. */
  #calledBy(call: (...args: never[]) => unknown, cause: ExitCause): ExitRecord {
    const stack = stackBelow(call);
    return stack === undefined ? { cause } : { cause, stack, active: this.#activeSpan() };
  }

  #activeSpan(error?: unknown): ActiveSpan | undefined {
    try {
      return this.#active(error);
    } catch {
      // The app's own context manager threw.
      return undefined;
    }
  }

  readonly #onException = (error: unknown, origin: string): void => {
    const isRejection = origin === 'unhandledRejection' && !isOfMainModule(stackBelow(this.#onException));
    const cause: ExitCause = isRejection ? 'unhandled_rejection' : 'uncaught_exception';
    const record = { cause, ...describe(error), active: this.#activeSpan(error) };
    this.#thrown = { record, atMs: performance.now() };
    // The exception was thrown in a listener of `exit`. Later listeners are not called, and an exit code of 0
    // becomes 1.
    if (this.#exit === undefined || process.listenerCount('uncaughtException') > 0) return;
    this.#vitals()?.recordExit({ ...record, code: exitCodeNow(1) });
  };

  // No event is emitted before an abort, and no JavaScript runs after it.
  readonly #onAbort = ((recorder: ExitRecorder) =>
    function abort(): never {
      recorder.#vitals()?.recordExit(recorder.#calledBy(abort, 'abort'));
      recorder.#flush(true);
      return recorder.#abort.call(process);
    })(this);

  // No event is emitted either before a signal that the process sends to itself, for example after its
  // clean-up at that signal.
  readonly #onKill = ((recorder: ExitRecorder) =>
    function kill(pid: number, signal: string | number = 'SIGTERM'): true {
      const name = typeof signal === 'number' ? signalName(signal) : (signal as NodeJS.Signals);
      if (name !== undefined && isOwn(pid) && endsBy(name)) {
        const called = recorder.#calledBy(kill, causeOfExit({ signal: name }));
        const record = { ...(passesOn(called) ? { cause: called.cause } : called), signal: name };
        recorder.#vitals()?.recordExit(record);
        if (endsNamespace) recorder.#raised = { record, atMs: performance.now() };
        recorder.#flush(!endsNamespace);
      }
      return recorder.#kill.call(process, pid, signal);
    })(this);
}

const isRecent = (ending: Ending | undefined, withinMs: number): ending is Ending =>
  ending !== undefined && performance.now() - ending.atMs < withinMs;

/** Whether a pid names this process or its group: kill(2). */
const isOwn = (pid: number) => pid === 0 || Math.abs(pid) === process.pid;

/** A thread does not see the listeners of the main thread. */
function endsBy(signal: NodeJS.Signals): boolean {
  if (!isMainThread) return signal === 'SIGKILL';
  return !LIVES_ON.includes(signal) && process.listenerCount(signal) === 0;
}

/** An exception in the main module rejects a promise of Node's loader, so that Node reports a rejection. */
const isOfMainModule = (stack = '') => stack.includes('(node:internal/modules/run_main:');

/**
 * Whether the process only repeats a signal from outside, as the handler of `signal-exit` does: called from a
 * signal's listener, or outside of any span.
 */
const passesOn = ({ stack = '', active }: ExitRecord) =>
  active === undefined || stack.includes(' at process.emit (node:events:');

const MOST_FRAMES = 50;

/** The frames that called `call`; undefined when it is not on the stack. */
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
    // The application's own Error.prepareStackTrace threw, or intrinsics are frozen.
    return undefined;
  } finally {
    try {
      Error.stackTraceLimit = stackTraceLimit;
    } catch {
      // As above.
    }
  }
}

/** Describes whatever was thrown. A getter of the error may throw. */
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
