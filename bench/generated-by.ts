/**
 * The first paragraph of a page that a measurement writes.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

/** @param node the version of the processes that were measured, as `process.version` */
export function generatedBy(command: string, node = process.version): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const machine = `${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, shared with other work`;
  return `\`${command}\` has measured this and written the page, on ${new Date().toISOString().slice(0, 10)}; do not edit it.
Machine: ${machine}. Node.js ${node}, forktrace ${version}.`;
}
