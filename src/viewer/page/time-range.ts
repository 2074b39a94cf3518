/** A stretch of a trace's time, in shares of its duration. */
export interface Range {
  from: number;
  to: number;
}

export const ALL: Range = { from: 0, to: 1 };

/** The same width, within the trace. */
export function clampRange({ from, to }: Range): Range {
  const width = Math.min(1, Math.max(1e-6, to - from));
  const start = Math.min(1 - width, Math.max(0, from));
  return { from: start, to: start + width };
}
