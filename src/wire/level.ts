const LEVELS = ['', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** The name of a log record's severity number: '' for 0, which says nothing. */
export function levelOf(severity: number): (typeof LEVELS)[number] {
  return LEVELS[Math.max(0, Math.min(LEVELS.length - 1, Math.ceil(severity / 4)))] ?? '';
}
