/** Another one may want to be the last, too, and would move behind this one each time that it moves. */
const MOST_MOVES = 1000;

/**
 * Adds a listener of the process's `exit` that stays behind those that the app adds later: what they log and
 * trace is kept, too.
 *
 * @returns takes it back
 */
export function listenLastToExit(listener: (code: number) => void): () => void {
  let isListening = true;
  let isMoving = false;
  let moves = 0;
  const goLast = () => {
    isMoving = false;
    if (!isListening) return;
    moves++;
    process.off('exit', listener);
    process.on('exit', listener);
  };
  // Told before the other one is added. Until then it is there, as an exit in this very turn may need it.
  const onAdded = (event: string | symbol, added: unknown) => {
    if (event !== 'exit' || added === listener || isMoving || moves === MOST_MOVES) return;
    isMoving = true;
    queueMicrotask(goLast);
  };
  process.on('exit', listener);
  process.on('newListener', onAdded);
  return () => {
    isListening = false;
    process.off('exit', listener);
    process.off('newListener', onAdded);
  };
}
