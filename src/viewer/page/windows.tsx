import { navigate, withQuery } from './location.ts';

/** Of pages that look at what is held. */
export const LONG_WINDOWS = [
  ['60000', '1 m'],
  ['300000', '5 m'],
  ['900000', '15 m'],
  ['3600000', '1 h'],
] as const;

/** How far back a page looks, kept in the address. */
export function Windows({ choices, value }: { choices: readonly (readonly [string, string])[]; value: string }) {
  return (
    <fieldset class="segments">
      <legend class="hidden">Time window</legend>
      {choices.map(([ms, label]) => (
        <button key={ms} type="button" aria-pressed={ms === value} onClick={() => navigate(withQuery({ window: ms }))}>
          {label}
        </button>
      ))}
    </fieldset>
  );
}
