import type { SpanRowView } from '../api-types/trace.ts';
import { navigate, withQuery } from './location.ts';
import { KINDS, KindIcon } from './span-kinds.tsx';

/** Which kinds of spans are shown, kept in the address. */
export function KindFilter({ rows, hidden }: { rows: SpanRowView[]; hidden: string }) {
  const present = [...new Set(rows.map(({ kind }) => kind))].sort();
  if (present.length < 2) return null;
  return (
    <fieldset class="kinds">
      <legend class="hidden">Kinds shown</legend>
      {present.map((kind) => {
        const off = hidden.includes(String(kind));
        const name = KINDS[kind]?.name ?? 'unspecified';
        return (
          <button
            key={kind}
            type="button"
            class="icon"
            aria-pressed={!off}
            aria-label={`Show ${name} spans`}
            title={`${off ? 'Show' : 'Hide'} ${name} spans`}
            onClick={() =>
              navigate(withQuery({ hide: off ? hidden.replace(String(kind), '') : hidden + String(kind) }), true)
            }
          >
            <KindIcon kind={kind} />
          </button>
        );
      })}
    </fieldset>
  );
}
