/** The address is the state: what is shown, and the filter. */
import { useEffect, useState } from 'preact/hooks';
import { withoutPrefix, withPrefix } from './prefix.ts';

const CHANGED = 'viewer:location';

/** Goes to `address`, a path with or without a query. */
export function navigate(address: string, replace = false): void {
  const target = withPrefix(address);
  if (target === location.pathname + location.search) return;
  if (replace) history.replaceState(null, '', target);
  else history.pushState(null, '', target);
  dispatchEvent(new Event(CHANGED));
}

/** The same page with `changes` in its query; '' takes a parameter out. */
export function withQuery(changes: Record<string, string>): string {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return withoutPrefix(location.pathname) + (text === '' ? '' : `?${text}`);
}

/** All traces, or what else is listed at `path`, for which `conditions` hold. */
export function filterLink(conditions: string[], path = '/traces'): string {
  return `${path}?${new URLSearchParams({ q: conditions.join(' ') })}`;
}

export interface Place {
  path: string;
  query: URLSearchParams;
}

const here = (): Place => ({ path: withoutPrefix(location.pathname), query: new URLSearchParams(location.search) });

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const update = () => setPlace(here());
    addEventListener(CHANGED, update);
    addEventListener('popstate', update);
    return () => {
      removeEventListener(CHANGED, update);
      removeEventListener('popstate', update);
    };
  }, []);
  return place;
}

/** Makes plain links stay in the page; with a modifier or another button they do what links do. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = (event.target as Element).closest?.('a');
  if (
    link === null ||
    link === undefined ||
    link.origin !== location.origin ||
    link.target !== '' ||
    link.hasAttribute('download')
  )
    return;
  event.preventDefault();
  navigate(withoutPrefix(link.pathname) + link.search);
}
