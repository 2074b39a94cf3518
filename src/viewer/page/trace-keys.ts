import type { SpanRowView } from '../api-types/trace.ts';
import { useKeys } from './keys.ts';
import { navigate } from './location.ts';
import type { RowSelection } from './row-selection.ts';

/** Factor of one press of a zoom key. */
const ZOOM = 1.6;
/** Rows of a press of PageUp or PageDown. */
const PAGE_ROWS = 15;

/** What keys do on the page of a trace, beside moving between its rows. */
export interface TraceKeys {
  isMatch(row: SpanRowView): boolean;
  toggleCriticalPath(): void;
  /** Shows a stretch of the time axis so many times shorter. */
  zoom(factor: number): void;
  zoomOut(): void;
}

/** Listed for the reader in `help.tsx`. */
export function useTraceKeys(rows: SpanRowView[], selection: RowSelection, on: TraceKeys): void {
  const { active, selected, selectedId, folded, visible, move, next, select, fold, unselect } = selection;
  useKeys((event) => {
    switch (event.key) {
      case 'ArrowDown':
      case 'j':
        move(active + 1);
        break;
      case 'ArrowUp':
      case 'k':
        move(active - 1);
        break;
      case 'Home':
        move(0);
        break;
      case 'End':
        move(visible.length - 1);
        break;
      case 'PageDown':
        move(active + PAGE_ROWS);
        break;
      case 'PageUp':
        move(active - PAGE_ROWS);
        break;
      case 'ArrowLeft':
        if (selected === undefined) return false;
        if (selected.descendants > 0 && !folded.has(selected.id)) fold(selected, true);
        else if (selected.parent !== -1) select(rows[selected.parent]!.id);
        break;
      case 'ArrowRight':
        if (selected === undefined) return false;
        if (folded.has(selected.id)) fold(selected, false);
        else move(active + 1);
        break;
      case 'e':
        next((row) => row.outcome !== 'ok');
        break;
      case 'c':
        on.toggleCriticalPath();
        break;
      case 'n':
        next(on.isMatch);
        break;
      case '+':
      case '=':
        on.zoom(ZOOM);
        break;
      case '-':
        on.zoom(1 / ZOOM);
        break;
      case '0':
        on.zoomOut();
        break;
      case 'Escape':
        if (selectedId !== undefined) unselect();
        else navigate('/traces');
        break;
      default:
        return false;
    }
    return true;
  });
}
