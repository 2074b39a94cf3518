/**
 * The rows of `npm run exit-matrix` that take seconds. The page has all.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Place } from '../fixtures/ending.js';
import { judge } from './judge.js';
import { traced, untraced } from './world.js';

const few = ['exit(42)', 'throw', 'SIGTERM', 'SIGSEGV', 'heap out of memory'];

/** Of tools test/preload/end.test.ts has all; of pm2 one that its daemon alone knows. */
const rows: [Place, readonly string[], ('up' | 'down')[]][] = [
  ['cluster worker', few, ['up', 'down']],
  ['our cluster', few, ['up', 'down']],
  ['thread', ['throw'], ['up']],
  ['pm2 fork', ['SIGKILL'], ['up']],
  ['pm2 cluster', ['SIGKILL', 'throw'], ['down']],
];

for (const [place, chosen, states] of rows) {
  test(`${place}: spans say how it ended, which is as untraced, with the shipper ${states.join(' and ')}`, async (t) => {
    const exits = await untraced(t, place, chosen);
    for (const shipper of states) {
      const endings = await traced(t, place, chosen, shipper);
      const short = chosen.flatMap((way) =>
        judge(place, way, endings.get(way)!, exits.get(way)!).short.map(
          (what) => `${way}, shipper ${shipper}: ${what}`,
        ),
      );
      assert.deepEqual(short, []);
    }
  });
}
