import { navigate, withQuery } from './location.ts';

/** How far back a page looks, kept in the address. */
export function Windows({ choices, value }: { choices: readonly (readonly [string, string])[]; value: string }) {
  return (
    <fieldset class="segments">
      <legend class="hidden">Time window</legend>
      {choices.map(([ms, label]) => (
        <button
          key={ms}
          type="button"
          aria-pressed={ms === value}
          onClick={() => navigate(withQuery({ window: ms }), true)}
        >
          {label}
        </button>
      ))}
    </fieldset>
  );
}
