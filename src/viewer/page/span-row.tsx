import { EVENT_LOOP_BLOCKED } from '../../wire/conventions.ts';
import { levelOf } from '../../wire/level.ts';
import type { LogRowView } from '../api-types/logs.ts';
import type { SpanRowView, TraceView } from '../api-types/trace.ts';
import { formatDuration } from '../format.ts';
import { OutcomeMark } from './marks.tsx';
import { KindIcon } from './span-kinds.tsx';
import type { Range } from './time-range.ts';

export const ROW_HEIGHT = 28;
/** Below it a duration takes most of what is beside a bar. */
const PHONE_WIDTH = 720;
const INDENT_PIXELS = 14;
/** Deeper rows are not set in further, as their names need the room: a number says how deep they are. */
const DEEP = 5;

interface SpanRowProps {
  row: SpanRowView;
  logs: LogRowView[];
  trace: TraceView;
  range: Range;
  folded: boolean;
  selected: boolean;
  match: boolean;
  onSelect: (event?: string) => void;
  onFold: () => void;
}

/** One span of the waterfall: its name, its bar, and what happened in it. */
export function SpanRow({ row, logs, trace, range, folded, selected, match, onSelect, onFold }: SpanRowProps) {
  const total = trace.durationMs || 1e-6;
  const place = (ms: number) => ((ms / total - range.from) / (range.to - range.from)) * 100;
  const left = place(row.offsetMs);
  const right = place(row.offsetMs + row.durationMs);
  const shownLeft = Math.max(-1, left);
  const width = Math.min(101, right) - shownLeft;
  // After the bar, before it, or when it leaves no room, on its end.
  const side = right < (innerWidth < PHONE_WIDTH ? 55 : 84) ? 'after' : left > 16 ? 'before' : 'on';
  const process = trace.processes[row.process]!;
  const parent = trace.rows[row.parent];
  const elsewhere = parent === undefined || parent.process !== row.process;
  const notes = [
    row.orphan ? 'its parent has not arrived' : '',
    row.shiftMs !== 0 ? `moved by ${formatDuration(Math.abs(row.shiftMs))}: its process's clock differs` : '',
  ].filter(Boolean);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree itself has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus, and names its active item
    <div
      id={`span-${row.id}`}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-selected={selected}
      aria-expanded={row.descendants > 0 ? !folded : undefined}
      class={`span ${row.outcome} ${row.name === EVENT_LOOP_BLOCKED ? 'blocked' : ''} ${row.critical ? 'on-path' : ''} ${match ? 'match' : ''} ${selected ? 'selected' : ''}`}
      style={{ height: `${ROW_HEIGHT}px` }}
      onClick={() => onSelect()}
    >
      <span class="label" style={{ paddingLeft: `min(${row.depth * INDENT_PIXELS}px, var(--indent, 28%))` }}>
        {row.depth > DEEP && <span class="muted num">{row.depth}</span>}
        {row.descendants > 0 ? (
          <span
            class="fold"
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              onFold();
            }}
          >
            {folded ? '▸' : '▾'}
          </span>
        ) : (
          <span class="fold" />
        )}
        <KindIcon kind={row.kind} />
        {row.outcome !== 'ok' && <OutcomeMark outcome={row.outcome} />}
        <span
          class="text"
          title={[row.name, process.service, `self ${formatDuration(row.selfMs)}`, ...notes].join('\n')}
        >
          {row.orphan && '⋯ '}
          {row.name}
        </span>
        {folded && <span class="muted num">+{row.descendants}</span>}
        {row.route !== '' && !row.name.includes(row.route) && <span class="muted">{row.route}</span>}
        {elsewhere && (
          <span class="muted where">
            {process.service}
            {process.slot !== undefined && ` slot ${process.slot}`}
          </span>
        )}
      </span>
      <span class="track">
        {width > 0 && right >= 0 && left <= 100 && (
          <span class={`bar c${row.process % 8}`} style={{ left: `${shownLeft}%`, width: `max(2px, ${width}%)` }} />
        )}
        {logs.slice(0, 50).map((log) => {
          const x = place(log.timeMs + row.shiftMs - trace.startMs);
          return x < 0 || x > 100 ? null : (
            <span key={log.id} class={`log-mark ${levelOf(log.severity)}`} style={{ left: `${x}%` }} title={log.body} />
          );
        })}
        {row.events.slice(0, 50).map(([at, name], index) => {
          const x = place(at);
          return x < 0 || x > 100 ? null : (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
            // biome-ignore lint/a11y/noStaticElementInteractions: the same
            <span
              key={index}
              class={`event ${/block|exit/.test(name) ? 'grave' : ''}`}
              style={{ left: `${x}%` }}
              title={`${name} at ${formatDuration(at)}`}
              onClick={(event) => {
                event.stopPropagation();
                onSelect(name);
              }}
            />
          );
        })}
        <span
          class={`time num ${side}`}
          style={
            side === 'after'
              ? { left: `calc(${Math.max(0, right)}% + 6px)` }
              : { right: `calc(${Math.max(0, 100 - (side === 'on' ? right : left))}% + 6px)` }
          }
        >
          {formatDuration(row.durationMs)}
        </span>
      </span>
    </div>
  );
}
