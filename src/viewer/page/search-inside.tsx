import { useEffect, useRef, useState } from 'preact/hooks';
import { navigate, withQuery } from './location.ts';

/** The field that searches in a trace, and the way from match to match. */
export function SearchInside({
  text,
  count,
  nth,
  onNext,
}: {
  text: string;
  count: number | undefined;
  /** Which of them is selected; 0 is none. */
  nth: number;
  onNext: (step: 1 | -1) => void;
}) {
  const [typed, setTyped] = useState(text);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <>
      <input
        type="search"
        data-search
        aria-label="Search in this trace"
        placeholder="Search in this trace  /"
        value={typed}
        spellcheck={false}
        onInput={(event) => {
          const next = event.currentTarget.value;
          setTyped(next);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => navigate(withQuery({ q: next.trim() }), true), 150);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onNext(event.shiftKey ? -1 : 1);
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      <span class="num muted" role="status">
        {count !== undefined && (nth > 0 ? `${nth} of ${count}` : `${count} found`)}
      </span>
      {count !== undefined && count > 0 && (
        <>
          <button type="button" class="icon" aria-label="Previous match" title="Shift+Enter" onClick={() => onNext(-1)}>
            ‹
          </button>
          <button type="button" class="icon" aria-label="Next match" title="Enter, n" onClick={() => onNext(1)}>
            ›
          </button>
        </>
      )}
    </>
  );
}
