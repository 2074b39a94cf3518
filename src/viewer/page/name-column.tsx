import { useEffect, useRef, useState } from 'preact/hooks';

const KEY = 'forktrace.name-column';
const LEAST = 15;
const MOST = 75;

/** Percent of the width that span names take, kept in the browser; undefined: as the style sheet has it. */
export function useNameColumn(): [string | undefined, (percent: number) => void] {
  const [percent, setPercent] = useState(() => Number(localStorage.getItem(KEY)) || undefined);
  const set = (wanted: number) => {
    const next = Math.round(Math.min(MOST, Math.max(LEAST, wanted)));
    localStorage.setItem(KEY, String(next));
    setPercent(next);
  };
  return [percent === undefined ? undefined : `${percent}%`, set];
}

/** The line between names and bars: drag it, or move it with the arrow keys. */
export function NameColumnHandle({ onChange }: { onChange: (percent: number) => void }) {
  const handle = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(36);
  const share = () => {
    const { left, width } = handle.current!.parentElement!.getBoundingClientRect();
    return { left, width, now: ((handle.current!.getBoundingClientRect().left - left) / width) * 100 };
  };
  useEffect(() => setAt(Math.round(share().now)), []);
  const move = (percent: number) => {
    onChange(percent);
    setAt(Math.round(Math.min(MOST, Math.max(LEAST, percent))));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved
    <div
      ref={handle}
      class="name-handle"
      role="separator"
      tabIndex={0}
      aria-label="Width of the name column"
      aria-orientation="vertical"
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      aria-valuenow={at}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
        const { left, width } = share();
        move(((event.clientX - left) / width) * 100);
      }}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
        event.preventDefault();
        event.stopPropagation();
        move(share().now + (event.key === 'ArrowLeft' ? -3 : 3));
      }}
    />
  );
}
