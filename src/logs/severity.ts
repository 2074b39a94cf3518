/**
 * The OTLP severity number of a level of pino or bunyan, from 10 for trace to 60 for fatal. A custom level
 * gets a number between those of its neighbours.
 */
export function severityOfLevel(level: number): number {
  const step = Math.max(1, Math.min(6.9, level / 10));
  return 1 + Math.floor((step - 1) * 4);
}
