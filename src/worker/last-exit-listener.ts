/**
 * Adds a listener of the process's `exit` that stays behind those that the app adds later: what they log and
 * trace is kept, too.
 *
 * @returns takes it back
 */
export function listenLastToExit(listener: (code: number) => void): () => void {
  let isListening = true;
  const goLast = () => {
    if (!isListening) return;
    process.off('exit', listener);
    process.on('exit', listener);
  };
  // Told before the other one is added. Until then it is there, as an exit in this very turn may need it.
  const onAdded = (event: string | symbol, added: unknown) => {
    if (event === 'exit' && added !== listener) queueMicrotask(goLast);
  };
  process.on('exit', listener);
  process.on('newListener', onAdded);
  return () => {
    isListening = false;
    process.off('exit', listener);
    process.off('newListener', onAdded);
  };
}
