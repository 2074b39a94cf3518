import { useLayoutEffect, useRef } from 'preact/hooks';

/** Keys that a focused control uses itself. */
const OWN_KEYS = 'input, select, textarea, dialog[open] *';

/**
 * Calls `onKey` for each key pressed on the page, outside of fields and with no modifier; true means that it
 * was used.
 */
export function useKeys(onKey: (event: KeyboardEvent) => boolean): void {
  const latest = useRef(onKey);
  // At once: the next key may come before effects have run.
  latest.current = onKey;
  // With the page itself: a key may come before effects have run.
  useLayoutEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
      if ((event.target as Element).matches(OWN_KEYS)) return;
      if (latest.current(event)) event.preventDefault();
    };
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, []);
}
