import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestSize } from '#src/shipper/request-size.js';

const MIB = 1024 * 1024;
const MINUTE = 60_000;

test('a request that is too large halves the size; a minute later it doubles, as long as requests need it', () => {
  const size = new RequestSize();
  assert.equal(size.bytes, 2 * MIB);
  size.tooLarge(2 * MIB, 0);
  assert.equal(size.bytes, MIB);
  size.taken(MIB, MINUTE - 1);
  assert.equal(size.bytes, MIB, 'not yet');
  size.taken(1000, 2 * MINUTE);
  assert.equal(size.bytes, MIB, 'what is small needs no more');
  size.taken(MIB, 2 * MINUTE);
  assert.equal(size.bytes, 2 * MIB);
  size.taken(2 * MIB, 10 * MINUTE);
  assert.equal(size.bytes, 2 * MIB, 'and never more than was asked for');
});

test('an endpoint that keeps its limit is tried less and less often, once an hour in the end', () => {
  const size = new RequestSize(2 * MIB);
  const waits: number[] = [];
  size.tooLarge(2 * MIB, 0);
  for (let now = 0, since = 0; waits.length < 9; now += MINUTE / 2) {
    size.taken(size.bytes, now);
    if (size.bytes === MIB) continue;
    waits.push((now - since) / MINUTE);
    size.tooLarge(2 * MIB, now);
    since = now;
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test('a size that has proved right after all is grown from in a minute again', () => {
  const size = new RequestSize(2 * MIB);
  size.tooLarge(2 * MIB, 0);
  size.taken(MIB, MINUTE);
  size.tooLarge(2 * MIB, MINUTE);
  size.taken(MIB, 3 * MINUTE);
  size.taken(2 * MIB, 3 * MINUTE);
  size.tooLarge(2 * MIB, 4 * MINUTE);
  size.taken(MIB, 5 * MINUTE);
  assert.equal(size.bytes, 2 * MIB);
});

test('it does not get smaller than is worth a try', () => {
  const size = new RequestSize(2 * MIB);
  size.tooLarge(100, 0);
  assert.equal(size.bytes, 4096);
  const cut = new RequestSize(2 * MIB);
  cut.tooLarge(100_000, 0, 65_536);
  assert.equal(cut.bytes, 65_536);
});
