/** What the server says by itself, and data that is asked for again when it does. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { StateView } from '../api-types/state.ts';
import { setViewerTime } from './clock.ts';
import { withPrefix } from './prefix.ts';

export interface LiveState {
  state: StateView | undefined;
  connected: boolean;
  /** Grows with each change on the server. */
  tick: number;
}

let current: LiveState = { state: undefined, connected: false, tick: 0 };
const listeners = new Set<() => void>();

function set(next: Partial<LiveState>): void {
  current = { ...current, ...next };
  for (const listener of listeners) listener();
}

/** The viewer says something every 15 s. */
const SILENCE_MS = 40_000;

/**
 * Opened once; the browser itself connects again when the viewer is back. One that is stopped, or a machine
 * that is asleep, ends no connection: its silence tells.
 */
export function connect(): void {
  const source = new EventSource(withPrefix('/api/live'));
  let silence: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      source.close();
      set({ connected: false });
      connect();
    }, SILENCE_MS);
  };
  heard();
  source.addEventListener('change', (event) => {
    heard();
    const state = JSON.parse(event.data) as StateView;
    setViewerTime(state.nowMs);
    set({ state, connected: true, tick: current.tick + 1 });
  });
  source.addEventListener('open', () => set({ connected: true }));
  source.addEventListener('error', () => {
    set({ connected: false });
    if (source.readyState !== EventSource.CLOSED) return;
    clearTimeout(silence);
    setTimeout(connect, 2000);
  });
}

export function useLive(): LiveState {
  const [live, setLive] = useState(current);
  useEffect(() => {
    const update = () => setLive(current);
    listeners.add(update);
    update();
    return () => {
      listeners.delete(update);
    };
  }, []);
  return live;
}

export interface Data<Result> {
  data: Result | undefined;
  error: string | undefined;
}

/** Data that takes long is asked for again after so many times as long, up to a bound. */
const PAUSES = 5;
const MAX_PAUSE_MS = 5000;

/**
 * JSON from `address`, again whenever the server has changed, at most every `everyMs`.
 *
 * @param live false: only when the address changes
 */
export function useData<Result>(address: string | undefined, { live = true, everyMs = 700 } = {}): Data<Result> {
  const [result, setResult] = useState<Data<Result> & { address?: string }>({ data: undefined, error: undefined });
  const refresh = useRef<(() => void) | undefined>(undefined);
  useEffect(() => {
    if (address === undefined) {
      setResult({ data: undefined, error: undefined });
      return;
    }
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let startedAt = 0;
    let pauseMs = everyMs;
    let loading = false;
    let again = false;
    let etag: string | null = null;
    const load = async () => {
      timer = undefined;
      loading = true;
      startedAt = performance.now();
      try {
        const headers: Record<string, string> = etag === null ? {} : { 'if-none-match': etag };
        const response = await fetch(withPrefix(address), { signal: abort.signal, headers });
        etag = response.headers.get('etag');
        // As it was: nothing to read, nothing to draw again.
        if (response.status === 304) return finish();
        const body = (await response.json()) as Result & { error?: string };
        if (response.ok) setResult({ data: body, error: undefined, address });
        else setResult({ data: undefined, error: body.error ?? `${response.status}`, address });
      } catch (error) {
        // While the viewer is away, what was there stays; the header says that it is away.
        if (!abort.signal.aborted)
          setResult((before) =>
            before.data === undefined ? { data: undefined, error: String(error), address } : before,
          );
      }
      finish();
    };
    const finish = () => {
      loading = false;
      // A search that takes the viewer long is not all that it does.
      pauseMs = Math.max(everyMs, Math.min(MAX_PAUSE_MS, PAUSES * (performance.now() - startedAt)));
      if (again) schedule();
    };
    const schedule = () => {
      again = loading;
      if (loading || timer !== undefined || abort.signal.aborted) return;
      timer = setTimeout(load, Math.max(0, startedAt + pauseMs - performance.now()));
    };
    void load();
    refresh.current = schedule;
    return () => {
      refresh.current = undefined;
      abort.abort();
      clearTimeout(timer);
    };
  }, [address, everyMs]);
  useEffect(() => {
    if (!live) return;
    const update = () => {
      if (!document.hidden) refresh.current?.();
    };
    listeners.add(update);
    document.addEventListener('visibilitychange', update);
    return () => {
      listeners.delete(update);
      document.removeEventListener('visibilitychange', update);
    };
  }, [live]);
  return result;
}
