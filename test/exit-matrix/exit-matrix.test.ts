/**
 * The cells of `npm run exit-matrix`: all with the shipper up, and with the shipper down those ends that each
 * tell something else. The page has all.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './judge.js';
import { doesNotEnd, places, ways } from './ways.js';
import { traced, untraced } from './world.js';

/** By its own code, by an exception, by a signal that others send, by a crash, by V8. */
const few: readonly string[] = ['exit(42)', 'throw', 'SIGKILL', 'SIGSEGV', 'heap out of memory'];

for (const place of places) {
  test(`${place}: spans say how it ended, which is as untraced, with the shipper up and down`, async (t) => {
    const all = ways.filter((way) => !doesNotEnd(place, way));
    const exits = await untraced(t, place, all);
    for (const [shipper, chosen] of [
      ['up', all],
      ['down', few],
    ] as const) {
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
