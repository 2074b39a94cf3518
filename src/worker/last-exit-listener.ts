import { exitCodeNow, seenExitCode } from '../process/exit-code.js';

/** Another one may want to be the last, too, and would move behind this one each time that it moves. */
const MOST_MOVES = 1000;

/** What `process.exit` calls after the listeners, and some programs call in its place. */
type Exiting = { reallyExit?: (code?: number) => never };

/**
 * Calls a function after all listeners of the process's `exit`, also those that the app adds later: what they
 * log and trace is kept, too, and the code is what they have made of it. It is called as well where there are
 * no listeners: a listener has called `process.exit`, or the app `process.reallyExit`.
 *
 * @param listener gets the code that whoever waits for the process will see
 * @returns takes it back
 */
export function listenLastToExit(listener: (code: number) => void): () => void {
  let isListening = true;
  let isMoving = false;
  let moves = 0;
  let told: number | undefined;
  const tell = (code: number) => {
    if (!isListening || code === told) return;
    told = code;
    listener(code);
  };
  const onExit = (code: number) => tell(exitCodeNow(code));
  const goLast = () => {
    isMoving = false;
    if (!isListening) return;
    moves++;
    process.off('exit', onExit);
    process.on('exit', onExit);
  };
  // Told before the other one is added. Until then it is there, as an exit in this very turn may need it.
  const onAdded = (event: string | symbol, added: unknown) => {
    if (event !== 'exit' || added === onExit || isMoving || moves === MOST_MOVES) return;
    isMoving = true;
    queueMicrotask(goLast);
  };
  process.on('exit', onExit);
  process.on('newListener', onAdded);

  const exiting = process as Exiting;
  const end = exiting.reallyExit;
  const reallyExit = (code = 0): never => {
    tell(seenExitCode(code));
    return end!.call(process, code);
  };
  // Deno and Bun have none.
  if (end) exiting.reallyExit = reallyExit;
  return () => {
    isListening = false;
    process.off('exit', onExit);
    process.off('newListener', onAdded);
    if (exiting.reallyExit === reallyExit) exiting.reallyExit = end!;
  };
}
