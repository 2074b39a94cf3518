import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface Props {
  count: number;
  rowHeight: number;
  /** Kept in sight when it changes; -1 is none. */
  active: number;
  render: (index: number) => ComponentChildren;
  class?: string;
  role: 'list' | 'tree';
  label: string;
  activeDescendant?: string;
  /** Goes back to the top whenever it changes. */
  top?: number;
  /** Of a mouse: a finger does not hover. */
  onHover?: (on: boolean) => void;
  onFocus?: (on: boolean) => void;
  /** Away from the top. */
  onScrolled?: (on: boolean) => void;
}

/** Rows rendered above and below what is in sight. */
const OVERSCAN = 12;

/** A scrolling list of any length that renders the rows in sight. */
export function VirtualRows(props: Props) {
  const { count, rowHeight, active, render, role, label, activeDescendant, top: wanted, ...rest } = props;
  const latest = useRef(props);
  latest.current = props;
  const box = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ top: 0, height: 800 });

  useLayoutEffect(() => {
    const element = box.current!;
    const measure = () => {
      setRange({ top: element.scrollTop, height: element.clientHeight });
      latest.current.onScrolled?.(element.scrollTop > 0);
    };
    measure();
    element.addEventListener('scroll', measure, { passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', measure);
      observer.disconnect();
    };
  }, []);

  useLayoutEffect(() => {
    if (wanted) box.current!.scrollTop = 0;
  }, [wanted]);

  useLayoutEffect(() => {
    const element = box.current!;
    if (active < 0) return;
    const top = active * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top - rowHeight;
    else if (top + rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + 2 * rowHeight - element.clientHeight;
    }
  }, [active, rowHeight]);

  const first = Math.max(0, Math.floor(range.top / rowHeight) - OVERSCAN);
  const last = Math.min(count, Math.ceil((range.top + range.height) / rowHeight) + OVERSCAN);
  const rows: ComponentChildren[] = [];
  for (let index = first; index < last; index++) rows.push(render(index));
  const space = { height: `${count * rowHeight}px` };
  const shift = { transform: `translateY(${first * rowHeight}px)` };
  if (role === 'list') {
    return (
      <div
        ref={box}
        class={`rows ${rest.class ?? ''}`}
        onPointerEnter={(event) => event.pointerType === 'mouse' && rest.onHover?.(true)}
        onPointerLeave={() => rest.onHover?.(false)}
        onFocusIn={() => rest.onFocus?.(true)}
        onFocusOut={(event) => !event.currentTarget.contains(event.relatedTarget as Node) && rest.onFocus?.(false)}
      >
        <div class="rows-space" style={space}>
          {count > 0 && (
            <ul aria-label={label} style={shift}>
              {rows}
            </ul>
          )}
        </div>
      </div>
    );
  }
  return (
    <div
      ref={box}
      class={`rows ${rest.class ?? ''}`}
      tabIndex={0}
      role="tree"
      aria-label={label}
      aria-activedescendant={activeDescendant}
    >
      <div class="rows-space" style={space} role="presentation">
        <div style={shift} role="presentation">
          {rows}
        </div>
      </div>
    </div>
  );
}
