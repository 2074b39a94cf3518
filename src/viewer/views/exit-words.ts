/** How the end of a process is told, for pages and terminals. */

interface Exit {
  cause?: string;
  code?: number;
  signal?: string;
  planned?: boolean;
}

/** Causes that do not say themselves in plain words. A map: what comes by OTLP names any cause. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['uncaught_exception', 'uncaught exception'],
  ['unhandled_rejection', 'unhandled rejection'],
  ['heap_out_of_memory', 'heap out of memory'],
  ['system_out_of_memory', 'system out of memory'],
  ['event_loop_blocked', 'event loop blocked'],
  ['not_ready', 'not ready in time'],
  ['abort', 'aborted'],
  ['crash', 'crashed'],
  ['lost', 'lost with its coordinator'],
  ['stop', 'stopped'],
  ['reload', 'reloaded'],
  ['scale', 'scaled away'],
  ['recycle_requests', 'recycled: requests'],
  ['recycle_memory', 'recycled: memory'],
]);

/** Whether somebody had told it to end. */
export function isPlannedExit(exit: Exit): boolean {
  return exit.planned ?? (exit.signal === undefined && exit.code === 0);
}

/** `SIGKILL`, `exit 1`, `heap out of memory`, `stopped`. */
export function exitWords(exit: Exit): string {
  const words = WORDS.get(exit.cause ?? '');
  if (words !== undefined) return words;
  if (isPlannedExit(exit)) return 'stopped';
  if (exit.signal !== undefined) return exit.signal;
  return exit.code === undefined ? 'died' : `exit ${exit.code}`;
}
