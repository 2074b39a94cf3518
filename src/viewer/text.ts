/**
 * A trace for terminals.
 *
 * @module
 */
import { formatDuration } from './format.js';
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
  /** Columns. @default 100 */
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
const BAR_COLUMNS = 24;

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
  const nameColumns = Math.max(24, width - BAR_COLUMNS - 14 - 20);
  const count = `${rows.length} span${rows.length === 1 ? '' : 's'}`;
  const lines = [
    `${color.bold(printable(first.span.name))}  ${formatDuration(total)}  ${count}  ${color.dim(first.span.traceId)}`,
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
    const label = fit(`${branch}${row.orphan ? '⋯ ' : ''}${printable(span.name)}`, nameColumns);
    const duration = formatDuration(span.endMs - span.startMs).padStart(9);
    const place = bar((span.startMs + shiftMs - startMs) / total, (span.endMs + shiftMs - startMs) / total);
    const outcome = span.interrupted
      ? '✂ interrupted'
      : span.error
        ? '✗ error'
        : span.httpStatus
          ? String(span.httpStatus)
          : '';
    const paint = span.interrupted ? color.yellow : span.error ? color.red : String;
    const parent = rows[row.parent]?.span.process;
    const who = span.process === parent ? '' : color.dim(printable(span.process));
    lines.push(
      `${paint(label)} ${duration} ${color.dim('▕')}${paint(place)}${color.dim('▏')} ${paint(outcome)}${outcome && who ? ' ' : ''}${who}`.trimEnd(),
    );
  }
  return `${lines.join('\n')}\n`;
}

function bar(from: number, to: number): string {
  const start = Math.min(BAR_COLUMNS - 1, Math.floor(from * BAR_COLUMNS));
  const end = Math.max(start + 1, Math.min(BAR_COLUMNS, Math.round(to * BAR_COLUMNS)));
  return ' '.repeat(start) + '━'.repeat(end - start) + ' '.repeat(BAR_COLUMNS - end);
}

function fit(text: string, columns: number): string {
  const characters = [...text];
  return characters.length > columns
    ? `${characters.slice(0, columns - 1).join('')}…`
    : text.padEnd(columns + text.length - characters.length);
}

/** Names come from anywhere: control characters would move the cursor or worse. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '\u{fffd}');
}
