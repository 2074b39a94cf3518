/** What Node prints when `--heapsnapshot-near-heap-limit` has written a file. */
const WRITTEN = /^Wrote snapshot to (.+\.heapsnapshot)$/gm;

/**
 * The heap snapshots that a process wrote shortly before it ran out of memory.
 *
 * @param lastWords the end of its standard error
 * @returns their paths; empty when there are none
 */
export function heapSnapshotsIn(lastWords: string | undefined): string[] {
  return [...(lastWords ?? '').matchAll(WRITTEN)].map(([, path]) => path!);
}
