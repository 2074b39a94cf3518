import { useEffect, useState } from 'preact/hooks';
import { navigate } from './location.ts';

/** Each list has its own. */
const keyOf = (path: string) => `forktrace.filters${path}`;

/** Name → the query of the address. */
type Saved = Record<string, string>;

function read(path: string): Saved {
  try {
    return JSON.parse(localStorage.getItem(keyOf(path)) ?? '{}') as Saved;
  } catch {
    return {};
  }
}

/** Filters by name, kept in this browser. */
export function SavedFilters({ path, query }: { path: string; query: string }) {
  const [saved, setSaved] = useState(() => read(path));
  const [naming, setNaming] = useState<string>();
  const current = Object.keys(saved).find((name) => saved[name] === query) ?? '';
  useEffect(() => {
    const update = () => setSaved(read(path));
    // From other tabs.
    addEventListener('storage', update);
    return () => removeEventListener('storage', update);
  }, [path]);
  // From what is kept now: another tab may have kept more.
  const change = (how: (kept: Saved) => Saved) => {
    const next = how(read(path));
    localStorage.setItem(keyOf(path), JSON.stringify(next));
    setSaved(next);
    setNaming(undefined);
  };
  const save = () => {
    const name = naming?.trim();
    if (name) change((kept) => ({ ...kept, [name]: query }));
  };
  if (naming !== undefined) {
    return (
      <span class="saved">
        <input
          aria-label="Name of this filter"
          value={naming}
          ref={(element) => element?.focus()}
          onInput={(event) => setNaming(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') save();
            else if (event.key === 'Escape') setNaming(undefined);
          }}
        />
        <button type="button" onClick={save}>
          Save
        </button>
      </span>
    );
  }
  return (
    <span class="saved">
      {Object.keys(saved).length > 0 && (
        <select
          aria-label="Saved filters"
          value={current}
          onChange={(event) => navigate(`${path}?${saved[event.currentTarget.value] ?? ''}`)}
        >
          <option value="">Saved filters</option>
          {Object.keys(saved)
            .sort()
            .map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
        </select>
      )}
      {current !== '' ? (
        <button
          type="button"
          onClick={() =>
            change((kept) => Object.fromEntries(Object.entries(kept).filter(([name]) => name !== current)))
          }
        >
          Forget
        </button>
      ) : (
        query !== '' && (
          <button type="button" onClick={() => setNaming('')}>
            Save as…
          </button>
        )
      )}
    </span>
  );
}
