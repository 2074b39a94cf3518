import { useEffect, useRef, useState } from 'preact/hooks';
import type { TraceRowView } from '../api-types/trace-list.ts';
import { counted, formatCount, formatDuration } from '../format.ts';
import { ago, clock } from './clock.ts';
import { useKeys } from './keys.ts';
import { HttpStatus, OutcomeMark, SlotBadge } from './marks.tsx';
import { VirtualRows } from './virtual-rows.tsx';

interface Props {
  count: number;
  rowHeight: number;
  row: (index: number) => TraceRowView | undefined;
  /** Grows when the list is to go back to its top. */
  top: number;
  onHover: (on: boolean) => void;
  onFocus: (on: boolean) => void;
  onScrolled: (on: boolean) => void;
}

/** Traces, newest first, of which those in sight are rendered. */
export function TraceList({ count, rowHeight, row: rowAt, top, onHover, onFocus, onScrolled }: Props) {
  // The trace, not the line: while new ones arrive above, the focus stays on what one looks at.
  const [active, setActive] = useState<{ index: number; id: string }>();
  const [moved, setMoved] = useState(0);
  // The line that is to have the focus as soon as it is there: Enter may be the next key.
  const toFocus = useRef(-1);
  const focusIfWanted = (index: number) => (link: HTMLElement | null) => {
    if (link === null || index !== toFocus.current) return;
    toFocus.current = -1;
    link.focus({ preventScroll: true });
  };

  const move = (wanted: number) => {
    const index = Math.max(0, Math.min(count - 1, wanted));
    const row = rowAt(index);
    onFocus(true);
    if (row !== undefined) setActive({ index, id: row.id });
    else setActive({ index, id: '' });
    setMoved((times) => times + 1);
    toFocus.current = index;
  };
  const at = active?.index ?? -1;
  useEffect(() => {
    if (top > 0) setActive(undefined);
  }, [top]);
  useKeys((event) => {
    if (event.key === 'ArrowDown' || event.key === 'j') move(at + 1);
    else if (event.key === 'ArrowUp' || event.key === 'k') move(at - 1);
    else if (event.key === 'PageDown') move(at + 15);
    else if (event.key === 'PageUp') move(at - 15);
    else if (event.key === 'Home') move(0);
    else if (event.key === 'End') move(count - 1);
    else return false;
    return true;
  });

  return (
    <VirtualRows
      role="list"
      label="Traces, newest first"
      count={count}
      rowHeight={rowHeight}
      active={moved > 0 ? at : -1}
      top={top}
      class="traces"
      onHover={onHover}
      onFocus={onFocus}
      onScrolled={onScrolled}
      render={(index) => {
        const row = rowAt(index);
        return (
          <li
            key={row?.id ?? index}
            aria-setsize={count}
            aria-posinset={index + 1}
            class={`trace ${row?.outcome ?? 'on-its-way'}`}
            style={{ height: `${rowHeight}px` }}
          >
            {row && (
              <a
                ref={focusIfWanted(index)}
                href={`/traces/${row.id}`}
                data-trace={row.id}
                onFocus={() => setActive({ index, id: row.id })}
              >
                <TraceRow row={row} />
              </a>
            )}
          </li>
        );
      }}
    />
  );
}

/** A duration of 10 s fills the meter. */
const FULL_METER_MS = 10_000;

function TraceRow({ row }: { row: TraceRowView }) {
  const share = Math.min(1, Math.log1p(row.durationMs) / Math.log1p(FULL_METER_MS));
  return (
    <>
      <OutcomeMark outcome={row.outcome} />
      <span class="name" title={`${row.name} (${row.service})`}>
        <b>{row.name}</b> <span class="muted">{row.service}</span>
      </span>
      <span>
        <HttpStatus status={row.httpStatus} />
      </span>
      <span class="wide slots">
        {row.slots.slice(0, 4).map((slot) => (
          <SlotBadge key={slot} slot={slot} />
        ))}
        {row.processes > 1 && <span class="muted">{counted(row.processes, 'process', 'processes')}</span>}
      </span>
      <span class="wide right num">
        {row.errors > 0 && <span class="errors">{row.errors} ✕</span>} {formatCount(row.spans)}
      </span>
      <span class="right num duration">
        <span class="meter" style={{ width: `${Math.max(1, share * 100)}%` }} />
        <span>{formatDuration(row.durationMs)}</span>
      </span>
      <span class="wide right num muted" title={clock(row.startMs)}>
        {ago(row.startMs)}
      </span>
    </>
  );
}
