import { useEffect, useState } from 'preact/hooks';
import type { NewDeathsView } from '../api-types/deaths.ts';
import { useData } from './live.ts';

const KEY = 'forktrace.deaths-looked-at';
const CHANGED = 'viewer:deaths';
const EVERY_MS = 5000;
/** No more fit beside the name of the page. */
const MOST = 99;

/** The newest death that has been looked at in this browser. */
const lookedAt = () => Number(localStorage.getItem(KEY)) || 0;

/** The list of deaths has been shown, with this as the newest. */
export function lookedAtDeaths(atMs: number): void {
  if (atMs <= lookedAt()) return;
  localStorage.setItem(KEY, String(Math.ceil(atMs)));
  dispatchEvent(new Event(CHANGED));
}

/** How many deaths the list has not been looked at for, on this or another tab. */
export function NewDeaths() {
  const [since, setSince] = useState(lookedAt);
  useEffect(() => {
    const update = () => setSince(lookedAt());
    addEventListener(CHANGED, update);
    // From other tabs.
    addEventListener('storage', update);
    return () => {
      removeEventListener(CHANGED, update);
      removeEventListener('storage', update);
    };
  }, []);
  const { data } = useData<NewDeathsView>(`/api/new-deaths?since=${since}`, { everyMs: EVERY_MS });
  const count = data?.count ?? 0;
  if (count === 0) return null;
  return (
    <span class="new-deaths">
      {count > MOST ? `${MOST}+` : count}
      <span class="hidden"> new</span>
    </span>
  );
}
