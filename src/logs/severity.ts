/**
 * pino's and bunyan's level, from 10 for trace to 60 for fatal: a level of the app's own takes the place
 * between its neighbours.
 */
export function severityOfLevel(level: number): number {
  const step = Math.max(1, Math.min(6.9, level / 10));
  return 1 + Math.floor((step - 1) * 4);
}
