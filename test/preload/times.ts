/** What else the machine does only ever adds to a time: the shortest of some is what it takes by itself. */
export const shortestOf = (times: readonly number[]): number => Math.min(...times);

/** How much the machine's other work adds: half of the times are as much longer than the shortest. */
export function addedByLoad(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1]! - shortestOf(times);
}
