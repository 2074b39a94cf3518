import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { MetricLineView, MetricView } from '../api-types/metrics.ts';
import { counted } from '../format.ts';
import { clock, clockSeconds } from './clock.ts';
import { metricFormat } from './metric-format.ts';

/** Colours of workers, as elsewhere; the next eight lines are dashed, and so on. */
const COLORS = 8;
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]];
/** Steps of an axis of bytes: round ones are powers of two. */
const BYTE_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);
const AXIS_FONT = '11px system-ui, sans-serif';

const lookOf = ({ slot }: MetricLineView, index: number) => {
  const number = slot ?? index;
  return { color: number % COLORS, dash: DASHES[Math.floor(number / COLORS) % DASHES.length]! };
};

/** Lines over time, with a legend that has the newest values, or those under the pointer. */
export function MetricChart({ metric, height }: { metric: MetricView; height: number }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [pointed, setPointed] = useState<number>();
  const theme = useTheme();
  const latest = useRef(metric);
  latest.current = metric;

  const labels = JSON.stringify([metric.name, metric.stat, metric.lines.map(({ label }) => label)]);
  useEffect(() => {
    const element = box.current!;
    plot.current = new uPlot(optionsOf(element, latest, height, setPointed), dataOf(latest.current), element);
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [labels, theme, height]);
  useEffect(() => plot.current?.setData(dataOf(metric)), [metric]);
  useEffect(() => {
    for (const [index, { label }] of latest.current.lines.entries()) {
      plot.current?.setSeries(index + 1, { show: !hidden.has(label) });
    }
  }, [hidden, labels, theme]);

  const format = metricFormat(metric);
  const toggle = (label: string) => {
    const changed = new Set(hidden);
    if (!changed.delete(label)) changed.add(label);
    setHidden(changed);
  };
  return (
    <div class="chart">
      <div
        ref={box}
        class="plot"
        role="img"
        aria-label={`${metric.name} over time, ${counted(metric.lines.length, 'line')}; the values stand below`}
      />
      <p class="num muted at">{pointed === undefined ? 'newest' : clock(metric.times[pointed] ?? 0)}</p>
      <ul class="chart-legend">
        {metric.lines.map((line, index) => {
          const { color, dash } = lookOf(line, index);
          const value = pointed === undefined ? newest(line) : line.values[pointed];
          return (
            <li key={line.label}>
              <button
                type="button"
                class="link"
                aria-pressed={!hidden.has(line.label)}
                onClick={() => toggle(line.label)}
              >
                <i class={`c${color} ${dash.length > 0 ? 'dashed' : ''}`} aria-hidden="true" />
                {line.label}
                <b class="num">{value === null || value === undefined ? '–' : format(value)}</b>
              </button>
            </li>
          );
        })}
        {metric.hidden > 0 && <li class="muted">{counted(metric.hidden, 'line')} with lower values not shown</li>}
      </ul>
    </div>
  );
}

/** Of the last columns: an export may be on its way. */
const newest = ({ values }: MetricLineView) => values.slice(-8).findLast((value) => value !== null);

const dataOf = ({ times, lines }: MetricView): uPlot.AlignedData => [
  times.map((ms) => ms / 1000),
  ...lines.map(({ values }) => values),
];

function optionsOf(
  element: HTMLElement,
  metric: { current: MetricView },
  height: number,
  onPointed: (index: number | undefined) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: color('muted'), font: AXIS_FONT, grid: { stroke: color('line'), width: 1 } };
  const ticks = { stroke: color('line'), width: 1, size: 4 };
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (_plot, least, most) => [Math.min(0, least ?? 0), (most || 1) * 1.08] } },
    axes: [
      { ...axis, ticks, size: 30, values: (_plot, seconds) => seconds.map((at) => clockSeconds(at * 1000)), space: 90 },
      {
        ...axis,
        ticks,
        size: 74,
        ...(metric.current.unit === 'By' ? { incrs: BYTE_STEPS } : {}),
        values: (_plot, values) => values.map((value) => metricFormat(metric.current)(value)),
      },
    ],
    series: [
      {},
      ...metric.current.lines.map((line, index): uPlot.Series => {
        const look = lookOf(line, index);
        return {
          label: line.label,
          stroke: color(`c${look.color}`),
          dash: look.dash,
          width: 1.75,
          points: { show: false },
        };
      }),
    ],
    hooks: { setCursor: [({ cursor }) => onPointed(cursor.idx ?? undefined)] },
  };
}

/** Changes with the colours. */
function useTheme(): number {
  const [theme, setTheme] = useState(0);
  useEffect(() => {
    const changed = () => setTheme((count) => count + 1);
    const observer = new MutationObserver(changed);
    observer.observe(document.documentElement, { attributes: true });
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', changed);
    return () => {
      observer.disconnect();
      scheme.removeEventListener('change', changed);
    };
  }, []);
  return theme;
}
