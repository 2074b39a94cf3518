/**
 * Describes a crash loop in words: the causes of its deaths in groups, where they happened, and what to do.
 *
 * @module
 */
import type { ExitCause } from '../forensics/exit-cause.js';

/** One death of a worker. */
export interface SlotDeath {
  cause: ExitCause;
  /** Milliseconds since the epoch. */
  atMs: number;
  /** The exception with its line of code, or the line that blocked the event loop. */
  where: string | undefined;
}

const ADVICE: Partial<Record<ExitCause, string>> = {
  heap_out_of_memory: 'find what leaks, or raise --max-old-space-size',
  system_out_of_memory: 'fork fewer workers, lower supervise.maxMemory, or raise the memory limit',
  event_loop_blocked: 'mend the line that blocks, or raise supervise.heartbeatTimeoutMs',
  not_ready: 'look at what the app waits for, or raise supervise.readyTimeoutMs',
  exit: 'look for what calls process.exit',
  signal: 'look for who sends the signal',
};

/** @param dir the journal directory, for the command that shows more */
export function describeCrashLoop(deaths: readonly SlotDeath[], dir: string | undefined): string {
  const groups = new Map<string, { death: SlotDeath; count: number }>();
  for (const death of deaths) {
    const key = `${death.cause} ${death.where ?? ''}`;
    groups.set(key, { death, count: (groups.get(key)?.count ?? 0) + 1 });
  }
  const sorted = [...groups.values()].sort((a, b) => b.count - a.count);
  if (sorted.length === 0) return '';
  const causes = sorted
    .slice(0, 3)
    .map(({ death: { cause, where }, count }) => `${count} × ${cause}${where === undefined ? '' : ` (${where})`}`)
    .join(', ');
  const advice = ADVICE[sorted[0]!.death.cause];
  const more = dir === undefined ? '' : ` \`forktrace inspect ${dir} --death\` shows the last one.`;
  return ` The last ${deaths.length} deaths: ${causes}.${advice === undefined ? '' : ` What to do: ${advice}.`}${more}`;
}
