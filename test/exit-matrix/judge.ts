import type { Place } from '../fixtures/ending.js';
import { type Exit, expected } from './ways.js';
import { type Ending, STEPS } from './world.js';

/** What a cell of the page says, and what of it is less than the exit contract promises. */
export function judge(place: Place, way: string, ending: Ending, untraced: Exit): { text: string; short: string[] } {
  const { delivered, roots, told, exit } = ending;
  const wanted = expected(place, way, untraced);
  const short: string[] = [];
  if (delivered !== STEPS) short.push(`${delivered} of ${STEPS} spans`);
  if (roots !== 1) short.push(`the open span came ${roots} times`);
  if (exit !== untraced) short.push(`exit ${exit}`);
  for (const name of ['cause', 'code', 'signal'] as const) {
    if (told[name] !== wanted[name] && !(name === 'cause' && isFasterThanItsFigures(place, way, told.cause)))
      short.push(`${name} ${told[name]}, not ${wanted[name]}`);
  }
  const { cause, code, signal } = told;
  const facts = [`\`${cause}\``, signal ?? (code === undefined ? undefined : `code ${code}`)]
    .filter(Boolean)
    .join(', ');
  return { text: short.length === 0 ? facts : `**${facts}: ${short.join('; ')}**`, short };
}

/**
 * Where nobody reads its standard error, a heap that fills faster than the process comes to write its figures
 * is not told from another abort: the page says so.
 */
function isFasterThanItsFigures(place: Place, way: string, cause: string | undefined): boolean {
  return way === 'heap out of memory' && place !== 'our cluster' && (cause === 'abort' || cause === 'unknown');
}
