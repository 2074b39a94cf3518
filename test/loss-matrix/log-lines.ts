export const LINES = 100;

/** How many of them are in what has arrived. */
export function countLines(texts: Iterable<string>): number {
  const found = new Set<string>();
  for (const text of texts) for (const [line] of text.matchAll(/\bline \d+\b/g)) found.add(line);
  return found.size;
}
