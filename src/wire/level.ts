/**
 * OpenTelemetry's severity numbers, the lowest of each name. (OpenTelemetry specification, "Log Data Model",
 * SeverityNumber)
 */
export const SEVERITY = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const;

export type LevelName = keyof typeof SEVERITY;

/** Severity numbers of one name. */
export const SEVERITIES_PER_LEVEL = 4;

const NAMES = Object.keys(SEVERITY) as LevelName[];

/** The name of a log record's severity number: '' for 0, which says nothing. */
export function levelOf(severity: number): LevelName | '' {
  if (!(severity > 0)) return '';
  return NAMES[Math.min(NAMES.length, Math.ceil(severity / SEVERITIES_PER_LEVEL)) - 1]!;
}

/** The lowest severity number of a name, in whatever case; undefined where it is none of them. */
export function severityOf(name: string): number | undefined {
  const level = name.toLowerCase();
  return Object.hasOwn(SEVERITY, level) ? SEVERITY[level as LevelName] : undefined;
}
