/**
 * OpenTelemetry's severity numbers, the lowest of each name. (OpenTelemetry specification, "Log Data Model",
 * SeverityNumber)
 */
export const SEVERITY = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const;

/**
 * pino's and bunyan's level, from 10 for trace to 60 for fatal: a level of the app's own takes the place
 * between its neighbours.
 */
export function severityOfLevel(level: number): number {
  const step = Math.max(1, Math.min(6.9, level / 10));
  return 1 + Math.floor((step - 1) * 4);
}
