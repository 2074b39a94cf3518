/** What the operators of a condition mean, for lists of all kinds. */
import type { Condition } from './filter-language.js';

/** Whether what {@link comparison} and {@link textTest} tell is to be turned round. */
export function negatedIn({ negated, operator }: Condition): boolean {
  return negated !== (operator === '!=');
}

/** `!=` is told as `=` here, and turned round by the caller. */
export function comparison({ operator }: Condition, wanted: number): (value: number) => boolean {
  switch (operator) {
    case '>':
      return (value) => value > wanted;
    case '>=':
      return (value) => value >= wanted;
    case '<':
      return (value) => value < wanted;
    case '<=':
      return (value) => value <= wanted;
    default:
      return (value) => value === wanted;
  }
}

/** `:` is "has", without regard to case, `=` "is"; others compare as text. */
export function textTest({ operator, value }: Condition): (text: string) => boolean {
  const lower = value.toLowerCase();
  switch (operator) {
    case ':':
      return (text) => text.toLowerCase().includes(lower);
    case '>':
      return (text) => text > value;
    case '>=':
      return (text) => text >= value;
    case '<':
      return (text) => text < value;
    case '<=':
      return (text) => text <= value;
    default:
      return (text) => text === value;
  }
}
