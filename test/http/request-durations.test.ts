import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endTiming, p99Ms, startTiming } from '#src/http/request-durations.js';

function serve(durations: number[]): number {
  let timed = 0;
  for (const ms of durations) {
    const startedAt = startTiming();
    if (startedAt !== 0) timed++;
    // As if it had begun so long ago.
    endTiming(startedAt && startedAt - ms);
  }
  return timed;
}

test('no request is timed until somebody asks', () => {
  assert.equal(serve([1, 2, 3]), 0);
});

test('the 99th percentile is right to an eighth, and forgets what was ten seconds ago', () => {
  assert.equal(p99Ms(0, 1000), 0);
  const durations = Array.from({ length: 1000 }, (_, index) => index + 1);
  assert.equal(serve(durations), 1000, 'few requests are all timed');
  const p99 = p99Ms(1000, 2000);
  assert.ok(p99 > 985 && p99 < 1000 * 1.13, `${p99} ms`);
  assert.equal(p99Ms(1000, 30_000), 0);
});

test('of many requests about a hundred in a second are timed', () => {
  p99Ms(1000, 100_000);
  p99Ms(1000 + 50_000, 101_000);
  const timed = serve(new Array(50_000).fill(1));
  assert.ok(timed >= 90 && timed <= 110, `${timed}`);
  const p99 = p99Ms(101_000, 102_000);
  assert.ok(p99 > 0.9 && p99 < 1.5, `${p99} ms`);
});
