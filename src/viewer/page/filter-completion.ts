/** What a filter that is being written may go on with. */
import type { CompletionView } from '../api-types/completions.ts';
import { condition, type FilterField } from '../views/filter-language.ts';

export interface Suggestion {
  /** Takes the place of the word that is being written. */
  text: string;
  says: string;
}

const MAX_SUGGESTIONS = 10;

/** A map: a field has whatever name somebody types. */
const FIXED: ReadonlyMap<string, readonly string[]> = new Map([
  ['level', ['info', 'warn', 'error', 'fatal', 'debug', 'trace']],
  ['status', ['error', 'interrupted', 'ok', '2xx', '4xx', '5xx']],
  ['kind', ['server', 'client', 'internal', 'producer', 'consumer']],
  ['duration', ['10ms', '50ms', '100ms', '500ms', '1s']],
]);

/** The word at the end of `text`, and the field that it is about, if it has come that far. */
export function lastWord(text: string): { word: string; field: string | undefined } {
  const word = /(?:[^\s"]|"[^"]*"?)*$/.exec(text)![0];
  return { word, field: /^-?([\p{L}_@][\p{L}\p{N}_.@/-]*)(?:!=|>=|<=|[:=><])/u.exec(word)?.[1] };
}

export function suggestions(
  text: string,
  known: readonly FilterField[],
  { keys, values }: CompletionView,
): Suggestion[] {
  const { word, field } = lastWord(text);
  const minus = word.startsWith('-') ? '-' : '';
  if (field !== undefined) {
    const [start = '', operator = ':'] = /^-?[^:=<>!]+(!=|>=|<=|[:=><])/.exec(word) ?? [];
    const typed = word.slice(start.length).replaceAll('"', '').toLowerCase();
    return [...(FIXED.get(field) ?? []), ...values]
      .filter((value, at, all) => value.toLowerCase().includes(typed) && all.indexOf(value) === at)
      .slice(0, MAX_SUGGESTIONS)
      .map((value) => ({ text: minus + condition(field, operator as ':', value), says: '' }));
  }
  const typed = word.slice(minus.length).toLowerCase();
  const fields = known
    .filter((one) => one.field.startsWith(typed))
    .map((one) => ({
      text: `${minus}${one.field}${one.field === 'duration' || one.field === 'spans' ? '>' : ':'}`,
      says: one.says,
    }));
  const attributes =
    typed === ''
      ? []
      : keys
          .filter((key) => key.toLowerCase().includes(typed))
          .map((key) => ({ text: `${minus}${key}:`, says: 'attribute' }));
  return [...fields, ...attributes].slice(0, MAX_SUGGESTIONS);
}
