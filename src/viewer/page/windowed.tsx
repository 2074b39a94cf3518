import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Rows rendered above and below what is in sight. */
const OVERSCAN = 6;

interface Props {
  count: number;
  rowHeight: number;
  render: (index: number) => ComponentChildren;
}

/** Rows of one height within a page that scrolls as a whole, of which only those in sight are rendered. */
export function Windowed({ count, rowHeight, render }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, bottom: 2000 });
  useLayoutEffect(() => {
    const scroller = box.current!.closest('main')!;
    const measure = () => {
      const offset = box.current!.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
      setSeen({ top: -offset, bottom: scroller.clientHeight - offset });
    };
    measure();
    scroller.addEventListener('scroll', measure, { passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(scroller);
    return () => {
      scroller.removeEventListener('scroll', measure);
      observer.disconnect();
    };
  }, []);
  const first = Math.max(0, Math.floor(seen.top / rowHeight) - OVERSCAN);
  const last = Math.min(count, Math.ceil(seen.bottom / rowHeight) + OVERSCAN);
  const rows: ComponentChildren[] = [];
  for (let index = first; index < last; index++) rows.push(render(index));
  return (
    <div ref={box} style={{ height: `${count * rowHeight}px` }}>
      <div style={{ transform: `translateY(${first * rowHeight}px)` }}>{rows}</div>
    </div>
  );
}
