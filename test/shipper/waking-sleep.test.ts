import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WakingSleep } from '#src/shipper/waking-sleep.js';

/** Longer than any test. */
const LONG_MS = 600_000;

test('a sleep lasts as long as it was meant to, or until it is woken', async () => {
  const one = new WakingSleep();
  const from = performance.now();
  await one.sleep(20, true);
  assert.ok(performance.now() - from >= 19);
  const woken = one.sleep(LONG_MS, true);
  one.wake();
  await woken;
});

test('woken before it sleeps, it does not sleep, once', async () => {
  const one = new WakingSleep();
  one.wake();
  one.wake();
  await one.sleep(LONG_MS, true);
  const second = one.sleep(LONG_MS, true);
  const first = await Promise.race([second.then(() => 'woken'), new Promise((resolve) => setImmediate(resolve))]);
  assert.equal(first, undefined);
  one.wake();
  await second;
});

test('what is due sooner shortens a sleep, what is due later does not lengthen it', async () => {
  const one = new WakingSleep();
  one.shorten(0);
  const shortened = one.sleep(LONG_MS, true);
  one.shorten(5);
  one.shorten(LONG_MS);
  await shortened;
  const short = one.sleep(5, true);
  one.shorten(LONG_MS);
  one.shorten(Number.POSITIVE_INFINITY);
  await short;
});

test('a sleep that holds no process open holds none open when it has been shortened either', async (t) => {
  const one = new WakingSleep();
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const slept = one.sleep(LONG_MS, false);
  one.shorten(LONG_MS / 2);
  t.after(() => one.wake());
  assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, before);
  one.wake();
  await slept;
});
