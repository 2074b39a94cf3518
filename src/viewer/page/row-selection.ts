import { useMemo, useState } from 'preact/hooks';
import type { SpanRowView } from '../api-types/trace.ts';
import { navigate, withQuery } from './location.ts';

/** Which rows of a trace are visible and which one is selected, and how to get to others. */
export interface RowSelection {
  /** Indexes of the rows that are neither hidden nor folded away. */
  visible: number[];
  /** Position of the selected one among them; -1: none. */
  active: number;
  selected: SpanRowView | undefined;
  /** Also of a row that is not visible. */
  selectedId: string | undefined;
  folded: ReadonlySet<string>;
  /** @param event the name of an event of the span to open */
  select(spanId: string, event?: string): void;
  unselect(): void;
  /** Selects the visible row at a position, or the nearest. */
  move(position: number): void;
  /** Selects the next row that is wanted, and unfolds what hides it. */
  next(wanted: (row: SpanRowView) => boolean, step?: 1 | -1): void;
  fold(row: SpanRowView, close: boolean): void;
}

/** @param hidden digits of the kinds that are not shown */
export function useRowSelection(rows: SpanRowView[], selectedId: string | undefined, hidden: string): RowSelection {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const visible = useMemo(() => {
    const list: number[] = [];
    for (let index = 0; index < rows.length; index++) {
      if (!hidden.includes(String(rows[index]!.kind))) list.push(index);
      if (folded.has(rows[index]!.id)) index += rows[index]!.descendants;
    }
    return list;
  }, [rows, folded, hidden]);
  const active = visible.findIndex((index) => rows[index]!.id === selectedId);
  const select = (spanId: string, event = '') => navigate(withQuery({ span: spanId, event }), true);
  const reveal = (index: number) => {
    const open = new Set(folded);
    for (let at = rows[index]!.parent; at !== -1; at = rows[at]!.parent) open.delete(rows[at]!.id);
    setFolded(open);
    select(rows[index]!.id);
  };
  return {
    visible,
    active,
    selected: active === -1 ? undefined : rows[visible[active]!],
    selectedId,
    folded,
    select,
    unselect: () => navigate(withQuery({ span: '' }), true),
    move(position) {
      const index = visible[Math.max(0, Math.min(visible.length - 1, position))];
      if (index !== undefined) select(rows[index]!.id);
    },
    next(wanted, step = 1) {
      const from = rows.findIndex((row) => row.id === selectedId);
      for (let n = 1; n <= rows.length; n++) {
        const index = (from + step * n + rows.length * 2) % rows.length;
        if (wanted(rows[index]!)) return reveal(index);
      }
    },
    fold(row, close) {
      const changed = new Set(folded);
      if (close) changed.add(row.id);
      else changed.delete(row.id);
      setFolded(changed);
    },
  };
}
