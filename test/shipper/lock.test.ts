import assert from 'node:assert/strict';
import { readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { newWriterIdentity } from '#src/journal/identity.js';
import { isShipperAlive, ShipperLock } from '#src/shipper/lock.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const held = (program: Program) => program.stdout.split('held').length - 1;

test('one process has the lock until it gives it back', async (t) => {
  const dir = await tempDir(t);
  assert.equal(isShipperAlive(dir), false);
  const first = ShipperLock.acquire(dir);
  assert.ok(first);
  assert.equal(isShipperAlive(dir), true);
  assert.equal(ShipperLock.acquire(dir), undefined);
  first.release();
  assert.equal(isShipperAlive(dir), false);
  const second = ShipperLock.acquire(dir);
  assert.ok(second);
  assert.ok(second.isOurs());
  assert.equal(first.isOurs(), false);
  first.release();
  assert.ok(second.isOurs(), 'a lock that is given back twice is not taken from its next holder');
  assert.deepEqual(readdirSync(dir), ['shipper-2.lock']);
});

test('a lock does not survive its holder, and is taken over by one of many, however they are killed', async (t) => {
  const dir = await tempDir(t);
  const start = () => runProgram(t, fixture('lock-contender'), { args: [dir, '10'] });
  const everybody = [start(), start(), start(), start()];
  for (let kills = 0; kills < 30; kills++) {
    const running = everybody.filter(({ exit, child }) => !exit && child.exitCode === null && !child.killed);
    const before = running.map(held);
    // All that are left must go on taking turns, whoever was killed where.
    await waitFor(() => running.filter((program, n) => held(program) > before[n]!).length > 1, 'two that take turns');
    running[kills % running.length]!.child.kill('SIGKILL');
    if (running.length < 4) everybody.push(start());
  }
  for (const program of everybody) {
    assert.doesNotMatch(program.stdout, /VIOLATION/);
    assert.equal(program.stderr, '');
  }
  await Promise.all(everybody.map((program) => program.killAll()));
  assert.ok(ShipperLock.acquire(dir));
});

test('a holder of another pid namespace lives as long as its lease', async (t) => {
  const dir = await tempDir(t);
  const file = join(dir, 'shipper-7.lock');
  writeFileSync(file, JSON.stringify({ ...newWriterIdentity(undefined), pidNamespace: 1, pid: 1 }));
  assert.equal(ShipperLock.acquire(dir), undefined);
  const old = new Date(Date.now() - 60_000);
  utimesSync(file, old, old);
  assert.ok(ShipperLock.acquire(dir));
  assert.deepEqual(readdirSync(dir), ['shipper-8.lock']);
});

test('a lock file that makes no sense is nobody’s', async (t) => {
  const dir = await tempDir(t);
  for (const content of ['', '{', 'null', '[]', '{"pid":"1"}', '\0\0\0']) {
    writeFileSync(join(dir, 'shipper-3.lock'), content);
    const lock = ShipperLock.acquire(dir);
    assert.ok(lock, JSON.stringify(content));
    lock.release();
    assert.equal(isShipperAlive(dir), false);
    rmSync(join(dir, 'shipper-4.lock'));
  }
});
