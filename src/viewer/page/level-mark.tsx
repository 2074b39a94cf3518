const LEVELS = ['', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** How grave a log record is, as a word and a colour. */
export function LevelMark({ severity, text }: { severity: number; text: string }) {
  const level = levelOf(severity);
  return <span class={`level ${level}`}>{level || text || '–'}</span>;
}

export function levelOf(severity: number): (typeof LEVELS)[number] {
  return LEVELS[Math.min(LEVELS.length - 1, Math.ceil(severity / 4))] ?? '';
}
