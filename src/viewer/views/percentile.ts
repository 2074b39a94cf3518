/** The smallest value that `share` (0..1) of the values do not exceed; `sorted` ascending and not empty. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}
