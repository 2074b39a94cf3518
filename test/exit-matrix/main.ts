/**
 * `npm run exit-matrix`: every kind of process, ended in every way, with the shipper up and down, and
 * docs/exit-matrix.md. With words: only kinds that contain one, and no page. Exits non-zero when a cell is
 * short.
 *
 * @module
 */

import { judge } from './judge.js';
import { writePage } from './page.js';
import { doesNotEnd, places, ways } from './ways.js';
import { traced, untraced } from './world.js';

const words = process.argv.slice(2);
const wanted = places.filter((place) => words.length === 0 || words.some((word) => place.includes(word)));
const sections: string[][][] = [];
let isShort = false;
for (const place of wanted) {
  const cleanups: (() => unknown)[] = [];
  const t = { after: (fn: () => unknown) => void cleanups.push(fn) };
  try {
    const ending = ways.filter((way) => !doesNotEnd(place, way));
    const exits = await untraced(t, place, ending);
    const up = await traced(t, place, ending, 'up');
    const down = await traced(t, place, ending, 'down');
    const rows = ways.map((way) => {
      if (doesNotEnd(place, way)) return [way, 'does not end: pm2 catches it', '–', '–'];
      const verdicts = [up, down].map((endings) => judge(place, way, endings.get(way)!, exits.get(way)!));
      isShort ||= verdicts.some(({ short }) => short.length > 0);
      return [way, exits.get(way)!, ...verdicts.map(({ text }) => text)];
    });
    sections.push(rows);
    for (const row of rows) console.log([place, ...row].join(' | '));
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}
if (words.length === 0) writePage(sections);
process.exit(isShort ? 1 : 0);
