// Containers with pid namespaces of their own that share a volume: the same pid is of several processes.
import assert from 'node:assert/strict';
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { newWriterIdentity } from '#src/journal/identity.js';
import { readToldExit, removeOldExits, removeToldExit, tellExit } from '#src/process/told-exit.js';
import { whereabouts } from '#src/process/whereabouts.js';
import { KnownEnds } from '#src/shipper/known-ends.js';
import type { TailedWriter } from '#src/shipper/tailed-writer.js';
import { tempDir } from './temp-dir.js';

const PID = 7;
const here = { pid: PID, ...whereabouts() };
const elsewhere = [
  { ...here, pidNamespace: here.pidNamespace + 1 },
  { ...here, bootId: 'f'.repeat(32) },
];

/** Of a process that has had this pid and has died. */
function writerAt(place: typeof here): TailedWriter {
  const identity = { ...newWriterIdentity(undefined), ...place, thread: PID };
  return { identity, resource: new Uint8Array(0), leaseMs: Date.now() } as TailedWriter;
}

test('an exit that is written down is that of a process of the same namespace and boot', async (t) => {
  const dir = await tempDir(t);
  tellExit(dir, PID, { code: 3, signal: null });
  tellExit(dir, PID, { code: 4, signal: null }, 1);
  assert.deepEqual({ ...(readToldExit(dir, here) as object), atMs: 0 }, { code: 3, signal: null, atMs: 0 });
  assert.deepEqual({ ...(readToldExit(dir, here, 1) as object), atMs: 0 }, { code: 4, signal: null, atMs: 0 });
  const ends = new KnownEnds(dir, () => []);
  assert.equal(ends.exitOf(writerAt(here))?.code, 3);
  for (const other of elsewhere) {
    assert.equal(readToldExit(dir, other), undefined);
    assert.equal(ends.exitOf(writerAt(other)), undefined);
    removeToldExit(dir, other);
  }
  assert.equal(readdirSync(dir).length, 2);
  removeToldExit(dir, here);
  assert.equal(readdirSync(dir).length, 1);
});

test('an exit that a parent tells over its channel is likewise', async (t) => {
  const ends = new KnownEnds(await tempDir(t), () => []);
  ends.hear(PID, { code: null, signal: 'SIGSEGV' });
  assert.equal(ends.exitOf(writerAt(here))?.signal, 'SIGSEGV');
  for (const other of elsewhere) assert.equal(ends.exitOf(writerAt(other)), undefined);
});

test('exits that nobody has read are deleted after a week', async (t) => {
  const dir = await tempDir(t);
  tellExit(dir, PID, { code: 1, signal: null });
  const [name] = readdirSync(dir);
  removeOldExits(dir);
  assert.equal(readdirSync(dir).length, 1);
  const old = Date.now() / 1000 - 8 * 24 * 3600;
  utimesSync(join(dir, name!), old, old);
  removeOldExits(dir);
  assert.equal(readdirSync(dir).length, 0);
});
