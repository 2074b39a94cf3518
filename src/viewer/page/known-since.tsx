import { clockSeconds } from './clock.ts';

/** Says that a page knows less than the time that it was asked for; nothing without `ms`. */
export function KnownSince({ ms, why }: { ms: number | undefined; why: string }) {
  if (ms === undefined) return null;
  return (
    <span class="muted known-since" role="note">
      since {clockSeconds(ms)}: {why}
    </span>
  );
}

export const OF_MEMORY = 'memory has no older traces';
export const OF_START = 'the viewer has nothing older';
