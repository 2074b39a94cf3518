/**
 * A trace for terminals.
 *
 * @module
 */
import { formatDuration } from './format.js';
import { columnsOf, cutToColumns as cut } from './terminal-columns.js';
import { type TreeSpan, traceTree } from './trace-tree.js';

/** What one line shows. */
export interface TextSpan extends TreeSpan {
  traceId: string;
  name: string;
  error: boolean;
  /** Its process died before it ended. */
  interrupted: boolean;
  /** Who did it, as in `shop slot 1`; the `process` of the tree. */
  process: string;
  /** HTTP status, if any. */
  httpStatus?: number;
}

export interface TextOptions {
  /** Columns, which no line exceeds from 80 on. @default 100 */
  width?: number;
  /** Wraps text in ANSI colours. @default no colours */
  color?: {
    dim(text: string): string;
    red(text: string): string;
    yellow(text: string): string;
    bold(text: string): string;
  };
  /** Lines per trace; the rest is counted. @default 40 */
  maxLines?: number;
}

const PLAIN = { dim: String, red: String, yellow: String, bold: String };
/** Columns beside name, bar and who it was: the duration and what stands between. */
const FIXED_COLUMNS = 14;
const DURATION_COLUMNS = 9;
/** Of who it was and how it went. */
const TAIL_COLUMNS = 24;
const WIDE = 100;
const LEAST_NAME_COLUMNS = 16;

/** One trace as a tree with a small waterfall; '' when there are no spans. Ends with a newline. */
export function traceText(spans: Iterable<TextSpan>, options: TextOptions = {}): string {
  const { width = 100, color = PLAIN, maxLines = 40 } = options;
  const rows = traceTree(spans);
  const first = rows[0];
  if (first === undefined) return '';
  let startMs = Number.POSITIVE_INFINITY;
  let endMs = 0;
  for (const { span, shiftMs } of rows) {
    startMs = Math.min(startMs, span.startMs + shiftMs);
    endMs = Math.max(endMs, span.endMs + shiftMs);
  }
  const total = Math.max(endMs - startMs, 1e-6);
  const barColumns = width < WIDE ? 12 : 24;
  const nameColumns = Math.max(LEAST_NAME_COLUMNS, width - barColumns - FIXED_COLUMNS - TAIL_COLUMNS);
  const tailColumns = Math.max(0, width - nameColumns - barColumns - FIXED_COLUMNS);
  const count = `${rows.length} span${rows.length === 1 ? '' : 's'}`;
  const lines = [
    `${color.bold(cut(printable(first.span.name), Math.max(8, width - 62)))}  ${formatDuration(total)}  ${count}  ${color.dim(first.span.traceId)}`,
  ];
  // Whether an ancestor at each depth has more siblings below.
  const more: boolean[] = [];
  for (const [index, row] of rows.entries()) {
    if (index >= maxLines) {
      lines.push(color.dim(`  … ${rows.length - maxLines} more spans`));
      break;
    }
    const { span, depth, shiftMs } = row;
    more[depth] = rows[index + 1 + row.descendants]?.depth === depth;
    let branch = '';
    for (let level = 1; level <= depth; level++) {
      if (level === depth) branch += more[level] ? '├─ ' : '└─ ';
      else branch += more[level] ? '│  ' : '   ';
    }
    // So deep that the name would find no room.
    if (branch.length > nameColumns / 2) branch = `… ${depth} └─ `;
    const label = fit(`${branch}${row.orphan ? '⋯ ' : ''}${printable(span.name)}`, nameColumns);
    const duration = formatDuration(span.endMs - span.startMs).padStart(DURATION_COLUMNS);
    const place = bar((span.startMs + shiftMs - startMs) / total, (span.endMs + shiftMs - startMs) / total, barColumns);
    const outcome = span.interrupted
      ? '✂ interrupted'
      : span.error
        ? '✗ error'
        : span.httpStatus
          ? String(span.httpStatus)
          : '';
    const paint = span.interrupted ? color.yellow : span.error ? color.red : String;
    const parent = rows[row.parent]?.span.process;
    const left = tailColumns - (outcome === '' ? 0 : outcome.length + 1);
    const who = span.process === parent || left < 4 ? '' : color.dim(cut(printable(span.process), left));
    lines.push(
      `${paint(label)} ${duration} ${color.dim('▕')}${paint(place)}${color.dim('▏')} ${paint(cut(outcome, tailColumns))}${outcome && who ? ' ' : ''}${who}`.trimEnd(),
    );
  }
  return `${lines.join('\n')}\n`;
}

function bar(from: number, to: number, columns: number): string {
  const start = Math.min(columns - 1, Math.floor(from * columns));
  const end = Math.max(start + 1, Math.min(columns, Math.round(to * columns)));
  return ' '.repeat(start) + '━'.repeat(end - start) + ' '.repeat(columns - end);
}

function fit(text: string, columns: number): string {
  const shown = cut(text, columns);
  return shown + ' '.repeat(Math.max(0, columns - columnsOf(shown)));
}

/** Names come from anywhere: control characters would move the cursor or worse. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '\u{fffd}');
}
