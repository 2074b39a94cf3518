import { useState } from 'preact/hooks';
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
  const change = (next: Saved) => {
    localStorage.setItem(keyOf(path), JSON.stringify(next));
    setSaved(next);
    setNaming(undefined);
  };
  const save = () => {
    if (naming !== undefined && naming.trim() !== '') change({ ...saved, [naming.trim()]: query });
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
          onClick={() => change(Object.fromEntries(Object.entries(saved).filter(([name]) => name !== current)))}
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
