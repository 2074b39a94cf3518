import { useMemo, useState } from 'preact/hooks';
import type { TraceView } from '../api-types/trace.ts';
import { counted, formatCount, formatDuration } from '../format.ts';

interface Group {
  service: string;
  name: string;
  count: number;
  errors: number;
  totalMs: number;
  selfMs: number;
  longestMs: number;
}

/** Rows at first, and with each time that one asks for more: a trace may have as many names as spans. */
const SHOWN = 100;

/** Where the time of a trace went, by service and name; the longest self time first. */
export function SpanStatistics({ trace, onName }: { trace: TraceView; onName: (name: string) => void }) {
  const [shown, setShown] = useState(SHOWN);
  const rows = useMemo(() => groupsOf(trace), [trace]);
  const most = Math.max(1e-6, rows[0]?.selfMs ?? 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <div class="scroll-box" tabIndex={0}>
      <table class="statistics">
        <caption class="hidden">Spans by name</caption>
        <thead>
          <tr>
            <th scope="col">Span</th>
            <th scope="col" class="right">
              Count
            </th>
            <th scope="col" class="right">
              Failed
            </th>
            <th scope="col" class="right">
              Self
            </th>
            <th scope="col" class="right wide">
              Total
            </th>
            <th scope="col" class="right wide">
              Average
            </th>
            <th scope="col" class="right wide">
              Longest
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((row) => (
            <tr key={`${row.service} ${row.name}`}>
              <th scope="row">
                <button type="button" class="link" onClick={() => onName(row.name)} title="Find these spans">
                  {row.name}
                </button>{' '}
                <span class="muted">{row.service}</span>
              </th>
              <td class="right num">{formatCount(row.count)}</td>
              <td class="right num">
                {row.errors > 0 ? <span class="errors">{row.errors}</span> : <span class="muted">0</span>}
              </td>
              <td class="right num self">
                <span class="meter" style={{ width: `${(row.selfMs / most) * 100}%` }} />
                {formatDuration(row.selfMs)}
              </td>
              <td class="right num wide">{formatDuration(row.totalMs)}</td>
              <td class="right num wide">{formatDuration(row.totalMs / row.count)}</td>
              <td class="right num wide">{formatDuration(row.longestMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown && (
        <p>
          <button type="button" onClick={() => setShown(shown + SHOWN)}>
            Show more
          </button>{' '}
          <span class="muted">{counted(rows.length - shown, 'name')} with less self time</span>
        </p>
      )}
    </div>
  );
}

function groupsOf(trace: TraceView): Group[] {
  const groups = new Map<string, Group>();
  for (const { name, process, outcome, durationMs, selfMs } of trace.rows) {
    const { service } = trace.processes[process]!;
    const key = `${service}\0${name}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { service, name, count: 0, errors: 0, totalMs: 0, selfMs: 0, longestMs: 0 };
      groups.set(key, group);
    }
    group.count++;
    if (outcome !== 'ok') group.errors++;
    group.totalMs += durationMs;
    group.selfMs += selfMs;
    group.longestMs = Math.max(group.longestMs, durationMs);
  }
  return [...groups.values()].sort((a, b) => b.selfMs - a.selfMs);
}
