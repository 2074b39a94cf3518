import { levelOf } from '../../wire/level.ts';

/** How grave a log record is, as a word and a colour. */
export function LevelMark({ severity, text }: { severity: number; text: string }) {
  const level = levelOf(severity);
  return <span class={`level ${level}`}>{level || text || '–'}</span>;
}
