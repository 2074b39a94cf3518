import { useMemo } from 'preact/hooks';
import type { LogRowView } from '../api-types/logs.ts';
import type { TraceView } from '../api-types/trace.ts';
import { Minimap } from './minimap.tsx';
import { NameColumnHandle, useNameColumn } from './name-column.tsx';
import type { RowSelection } from './row-selection.ts';
import { ROW_HEIGHT, SpanRow } from './span-row.tsx';
import type { Range } from './time-range.ts';
import { VirtualRows } from './virtual-rows.tsx';
import { WaterfallAxis } from './waterfall-axis.tsx';

/** The spans of a trace, one below the other on one time axis. */
export function Waterfall({
  trace,
  range,
  onRange,
  selection: { visible, active, selected, selectedId, folded, select, fold },
  logsOf,
  matches,
  critical,
}: {
  trace: TraceView;
  range: Range;
  onRange: (range: Range) => void;
  selection: RowSelection;
  logsOf: ReadonlyMap<string, LogRowView[]>;
  /** Ids of the spans that a search has found. */
  matches: ReadonlySet<string>;
  /** Whether the spans of the critical path stand out. */
  critical: boolean;
}) {
  const [nameColumn, setNameColumn] = useNameColumn();
  // Drawn of all spans: again only when it shows something else.
  const minimap = useMemo(() => <Minimap trace={trace} range={range} onRange={onRange} />, [trace, range]);
  return (
    <div class="waterfall" style={nameColumn === undefined ? {} : { '--name': nameColumn }}>
      <NameColumnHandle onChange={setNameColumn} />
      {minimap}
      <WaterfallAxis durationMs={trace.durationMs} range={range} />
      <VirtualRows
        role="tree"
        label="Spans"
        activeDescendant={selected && `span-${selected.id}`}
        count={visible.length}
        rowHeight={ROW_HEIGHT}
        active={active}
        class={`${critical ? 'critical' : ''} ${matches.size > 0 ? 'searching' : ''}`}
        render={(position) => {
          const row = trace.rows[visible[position]!]!;
          return (
            <SpanRow
              key={row.id}
              row={row}
              logs={logsOf.get(row.id) ?? []}
              trace={trace}
              range={range}
              folded={folded.has(row.id)}
              selected={row.id === selectedId}
              match={matches.has(row.id)}
              onSelect={(event) => select(row.id, event)}
              onFold={() => fold(row, !folded.has(row.id))}
            />
          );
        }}
      />
    </div>
  );
}
