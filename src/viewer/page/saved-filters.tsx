import { useEffect, useState } from 'preact/hooks';
import { navigate } from './location.ts';

/** Each list has its own, and each filter a key: two tabs that save at the same time both do. */
const prefixOf = (path: string) => `forktrace.filters${path}?`;

/** Name → the query of the address. */
type Saved = Record<string, string>;

function read(path: string): Saved {
  const prefix = prefixOf(path);
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
    return Object.fromEntries(keys.map((key) => [key.slice(prefix.length), localStorage.getItem(key) ?? '']));
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
  const changed = () => {
    setSaved(read(path));
    setNaming(undefined);
  };
  const save = () => {
    const name = naming?.trim();
    if (!name) return;
    localStorage.setItem(prefixOf(path) + name, query);
    changed();
  };
  const forget = () => {
    localStorage.removeItem(prefixOf(path) + current);
    changed();
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
        <button type="button" onClick={forget}>
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
