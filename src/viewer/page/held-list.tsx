import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { counted, formatCount } from '../format.ts';
import { useKeys } from './keys.ts';
import { type List, type Pages, usePages } from './pages.ts';

/** Parameters of the address that say what is listed. */
const FILTERS = ['q', 'from', 'to', 'last'];

export interface HeldList<Row, Answer extends List<Row>> extends Pages<Row, Answer> {
  /** As it stands in the address; '' when everything is listed. */
  filter: string;
  /** Grows when the list is to go back to its top. */
  top: number;
  held: boolean;
  paused: boolean;
  setPaused: (on: boolean) => void;
  catchUp: () => void;
  /** For the rows: what makes the list hold still. */
  look: {
    onHover: (on: boolean) => void;
    onFocus: (on: boolean) => void;
    onScrolled: (on: boolean) => void;
  };
}

/**
 * The list at `path`, live until somebody looks closer: then it holds still, and says how many rows have come
 * since.
 *
 * @param open a row is shown beside the list, which holds it, too
 * @param close called when it is caught up
 */
export function useHeldList<Row, Answer extends List<Row>>(
  path: string,
  query: URLSearchParams,
  open = false,
  close?: () => void,
): HeldList<Row, Answer> {
  const filter = new URLSearchParams([...query].filter(([name]) => FILTERS.includes(name))).toString();
  const [paused, setPaused] = useState(false);
  const [hovered, setHovered] = useState(false);
  const [focused, setFocused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [top, setTop] = useState(0);
  const held = paused || hovered || focused || scrolled || open;
  const pages = usePages<Row, Answer>(path, filter, held);

  const catchUp = () => {
    for (const set of [setPaused, setHovered, setFocused, setScrolled]) set(false);
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    close?.();
    setTop((count) => count + 1);
  };
  useKeys((event) => {
    if (event.key === 'l') catchUp();
    else if (event.key === ' ' && !(event.target as Element).matches('button, a')) setPaused(!paused);
    else return false;
    return true;
  });
  const look = { onHover: setHovered, onFocus: setFocused, onScrolled: setScrolled };
  return { ...pages, filter, top, held, paused, setPaused, catchUp, look };
}

/** How much is listed, how much is new, and the button that holds it. */
export function ListFoot<Row, Answer extends List<Row>>({
  of,
  noun,
  children,
}: {
  of: HeldList<Row, Answer>;
  noun: string;
  children?: ComponentChildren;
}) {
  const { list, filter, total, held, newer, paused, setPaused, catchUp } = of;
  return (
    <div class="foot">
      <span role="status">
        {list &&
          (filter === ''
            ? counted(list.held, noun)
            : `${formatCount(total)}${list.more ? '+' : ''} of ${counted(list.held, noun)} ${total === 1 ? 'matches' : 'match'}`)}
      </span>
      {children}
      <span class="spacer" />
      {held && <span class="muted">{paused ? 'Paused' : 'Held while you look'}</span>}
      {held && newer > 0 && (
        <button type="button" class="newer" onClick={catchUp} title="Catch up (l)">
          {formatCount(newer)} new
        </button>
      )}
      <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)} title="Hold the list (space)">
        {paused ? 'Resume' : 'Pause'}
      </button>
    </div>
  );
}
