export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * What three quarters of the rounds are at least (`lower`) or at most (`upper`): a verdict that holds in most
 * rounds, not by luck.
 */
export function quartile(values: readonly number[], side: 'lower' | 'upper'): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[side === 'lower' ? Math.floor((sorted.length - 1) / 4) : Math.ceil(((sorted.length - 1) * 3) / 4)]!;
}

/** Half the distance between the quartiles, relative to the median: how far the rounds disagree. */
export function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  const middle = median(values);
  return middle === 0 ? 0 : (at(0.75) - at(0.25)) / 2 / Math.abs(middle);
}
