/** What Node says where `--heapsnapshot-near-heap-limit` has written a file. */
const WRITTEN = /^Wrote snapshot to (.+\.heapsnapshot)$/gm;

/**
 * The heap snapshots that a process has written shortly before it ran out of memory.
 *
 * @param lastWords the end of its standard error
 * @returns their paths; empty for none
 */
export function heapSnapshotsIn(lastWords: string | undefined): string[] {
  return [...(lastWords ?? '').matchAll(WRITTEN)].map(([, path]) => path!);
}
