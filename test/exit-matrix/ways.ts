/**
 * The ways in which a process ends, and what its spans must say of each.
 *
 * @module
 */
import type { Place } from '../fixtures/ending.js';

export const places: readonly Place[] = [
  'tool',
  'server',
  'cluster worker',
  'thread',
  'pm2 fork',
  'pm2 cluster',
  'our cluster',
];

const CAUSES: Record<string, string> = {
  'empty event loop': 'exit',
  'exit(0)': 'exit',
  'exit(42)': 'exit',
  throw: 'uncaught_exception',
  rejection: 'unhandled_rejection',
  SIGTERM: 'signal',
  SIGINT: 'signal',
  SIGKILL: 'signal',
  SIGSEGV: 'crash',
  abort: 'abort',
  'heap out of memory': 'heap_out_of_memory',
  'stack overflow': 'uncaught_exception',
};

export const ways = Object.keys(CAUSES);

/** Where the untraced process does not end, there is nothing to tell: pm2 catches rejections itself. */
export const doesNotEnd = (place: Place, way: string) => place.startsWith('pm2') && way === 'rejection';

/**
 * How a process ends, as its parent sees it: exit code or signal; of a thread that alone ends, `thread 1`.
 */
export type Exit = string;

/** What the interrupted root span says. */
export interface Told {
  cause: string | undefined;
  code: number | undefined;
  signal: string | undefined;
}

/** What a span must say of an end; `exit` is that of the untraced process. */
export function expected(place: Place, way: string, exit: Exit): Told {
  const signal = exit.startsWith('SIG') ? exit : undefined;
  // Nobody who traces is the parent of a tool or a plain server, and a process cannot tell of a signal that
  // ends it at once.
  const isKnown = signal === undefined || !['tool', 'server', 'thread'].includes(place);
  const code = signal === undefined ? Number(exit.replace('thread ', '')) : undefined;
  // In a thread it throws.
  if (way === 'abort' && place === 'thread') return { cause: CAUSES.throw, code, signal };
  // It says so itself.
  if (way === 'abort') return { cause: CAUSES.abort, code, signal };
  // The last figures of a process tell, and nobody the signal; the process tells of a thread.
  const heapIsKnown = way === 'heap out of memory';
  return {
    cause: isKnown || heapIsKnown ? CAUSES[way] : 'unknown',
    code,
    signal: isKnown ? signal : undefined,
  };
}
