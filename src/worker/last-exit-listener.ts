import { exitCodeNow, seenExitCode } from '../process/exit-code.js';
import { hearAfterExit, isEmitWrapped } from '../process/process-events.js';

/**
 * Another listener may want to be the last, too, and would move behind this one each time that this one
 * moves.
 */
const MOST_MOVES = 1000;

/** A test's fake timers replace the global one. */
const { queueMicrotask } = globalThis;

/** `process.exit` calls it after the listeners, and some programs call it directly. */
type Exiting = { reallyExit?: (code?: number) => never };

/**
 * Calls a function after all listeners of the process's `exit` event, also those that the app adds later. So
 * what they log and trace is kept, and the exit code includes their changes. It is called as well when
 * listeners do not run to the end, because one called `process.exit`, or the app called `process.reallyExit`.
 *
 * What wraps `process.emit`, as `signal-exit` does, calls functions of the app after all listeners: these may
 * end spans, too. So the listener is called again when nothing of the app can follow.
 *
 * @param listener gets the exit code that the parent of the process will see, and whether this is the last
 * call
 * @returns a function that removes it
 */
export function listenLastToExit(listener: (code: number, isLast: boolean) => void): () => void {
  let isListening = true;
  let isMoving = false;
  let moves = 0;
  let told: number | undefined;
  let wasLast = false;
  const tell = (code: number, isLast: boolean) => {
    if (!isListening || (code === told && (wasLast || !isLast))) return;
    told = code;
    wasLast ||= isLast;
    listener(code, isLast);
  };
  const onExit = (code: number) => tell(exitCodeNow(code), !isEmitWrapped() && !isInExit());
  const goLast = () => {
    isMoving = false;
    if (!isListening) return;
    moves++;
    process.off('exit', onExit);
    process.on('exit', onExit);
  };
  // This event comes before the other listener is added. Ours stays until then, because an exit in this turn
  // may need it.
  const onAdded = (event: string | symbol, added: unknown) => {
    if (event !== 'exit' || added === onExit || isMoving || moves === MOST_MOVES) return;
    isMoving = true;
    queueMicrotask(goLast);
  };
  const stopHearing = hearAfterExit(onExit);
  if (stopHearing === undefined) {
    process.on('exit', onExit);
    process.on('newListener', onAdded);
  }

  const exiting = process as Exiting;
  const end = exiting.reallyExit;
  const reallyExit = (code = 0): never => {
    tell(seenExitCode(code), true);
    return end!.call(process, code);
  };
  // Deno and Bun do not have it.
  if (end) exiting.reallyExit = reallyExit;
  return () => {
    isListening = false;
    stopHearing?.();
    process.off('exit', onExit);
    process.off('newListener', onAdded);
    if (exiting.reallyExit === reallyExit) exiting.reallyExit = end!;
  };
}

/** Whether `process.exit` is being called: `process.reallyExit` follows. */
function isInExit(): boolean {
  try {
    const taken: { stack?: unknown } = {};
    Error.captureStackTrace(taken, process.exit);
    return String(taken.stack).includes('\n');
  } catch {
    // The app's own Error.prepareStackTrace threw, or intrinsics are frozen.
    return false;
  }
}
