import { useMemo, useState } from 'preact/hooks';
import type { TraceView } from '../api-types/trace.ts';
import { counted, formatDuration } from '../format.ts';

interface Frame {
  name: string;
  process: number;
  count: number;
  errors: number;
  /** Self time and that of all frames below. */
  valueMs: number;
  selfMs: number;
  /** By process and name; most frames have none. */
  children: Map<string, Frame> | undefined;
}

/** Thinner frames cannot be read or hit. */
const LEAST_SHARE = 0.0015;
const ROW_PIXELS = 22;

/**
 * Spans of one name below the same path as one frame, as wide as the time that they and all below them worked
 * themselves.
 */
function framesOf(trace: TraceView): Frame {
  const frame = (name: string, process: number): Frame => {
    return { name, process, count: 0, errors: 0, valueMs: 0, selfMs: 0, children: undefined };
  };
  const root = frame('all', 0);
  const placed: Frame[] = [];
  for (const row of trace.rows) {
    const parent = placed[row.parent] ?? root;
    const key = `${row.process} ${row.name}`;
    parent.children ??= new Map();
    let own = parent.children.get(key);
    if (own === undefined) {
      own = frame(row.name, row.process);
      parent.children.set(key, own);
    }
    placed.push(own);
    own.count++;
    if (row.outcome !== 'ok') own.errors++;
    own.selfMs += row.selfMs;
  }
  // Depth first, with a stack of its own: a trace may be deeper than JavaScript's.
  const order: Frame[] = [];
  const stack = [root];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    order.push(next);
    if (next.children !== undefined) for (const child of next.children.values()) stack.push(child);
  }
  for (const one of order.reverse()) {
    one.valueMs = one.selfMs;
    if (one.children !== undefined) for (const child of one.children.values()) one.valueMs += child.valueMs;
  }
  return root;
}

interface Placed {
  frame: Frame;
  depth: number;
  from: number;
  share: number;
}

function place(root: Frame): Placed[] {
  const placed: Placed[] = [];
  const stack: Placed[] = [{ frame: root, depth: 0, from: 0, share: 1 }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    placed.push(next);
    let from = next.from;
    const children = [...(next.frame.children?.values() ?? [])].sort((a, b) => b.valueMs - a.valueMs);
    for (const child of children) {
      // Where nothing took any time, all are alike.
      const part = next.frame.valueMs > 0 ? child.valueMs / next.frame.valueMs : 1 / children.length;
      const share = part * next.share;
      if (share >= LEAST_SHARE) stack.push({ frame: child, depth: next.depth + 1, from, share });
      from += share;
    }
  }
  return placed;
}

/** Click a frame to see it as wide as the page; its ancestors lead back. */
export function FlameGraph({ trace }: { trace: TraceView }) {
  const root = useMemo(() => framesOf(trace), [trace]);
  const [zoomed, setZoomed] = useState<Frame[]>([]);
  const top = zoomed.at(-1) ?? (root.children?.size === 1 ? [...root.children.values()][0]! : root);
  const placed = useMemo(() => place(top), [top]);
  const depth = Math.max(...placed.map((one) => one.depth)) + 1;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <div class="scroll-box" tabIndex={0}>
      <p class="flame-path">
        <button type="button" class="link" disabled={zoomed.length === 0} onClick={() => setZoomed([])}>
          {zoomed.length === 0 ? 'Self time by call path; click a frame to zoom' : 'All of the trace'}
        </button>
        {zoomed.map((frame, index) => (
          <button key={index} type="button" class="link" onClick={() => setZoomed(zoomed.slice(0, index + 1))}>
            › {frame.name}
          </button>
        ))}
      </p>
      <div class="flame" style={{ height: `${depth * ROW_PIXELS}px` }}>
        {placed.map(({ frame, depth: level, from, share }, index) => {
          const said = `${frame.name}, ${counted(frame.count, 'span')}, ${formatDuration(frame.valueMs)}, self ${formatDuration(frame.selfMs)}`;
          return (
            <button
              key={index}
              type="button"
              class={`frame c${frame.process % 8} ${frame.errors > 0 ? 'error' : ''}`}
              style={{ left: `${from * 100}%`, width: `${share * 100}%`, top: `${level * ROW_PIXELS}px` }}
              title={said}
              aria-label={said}
              onClick={() => frame !== top && setZoomed([...zoomed, frame])}
            >
              <span>{frame.name}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}
