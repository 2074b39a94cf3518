import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ResolvedExport } from '#src/config/resolved.js';
import { ShipperLock } from '#src/shipper/lock.js';
import { Shipper } from '#src/shipper/shipper.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const ROUNDS = 60;

/** Numbers below `bound` that are the same in each run. */
function repeatable(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function damage(bytes: Buffer, random: (bound: number) => number): Buffer {
  switch (random(6)) {
    case 0:
      return bytes.subarray(0, random(bytes.length));
    case 1:
      return Buffer.alloc(random(9000), random(256));
    case 2: {
      const from = random(bytes.length);
      return Buffer.concat([bytes.subarray(0, from), Buffer.alloc(4096), bytes.subarray(from + 4096)]);
    }
    default: {
      const damaged = Buffer.from(bytes);
      const where = random(2) ? 512 : bytes.length;
      for (let n = 1 + random(8); n > 0; n--) damaged[random(where)]! ^= 1 << random(8);
      return damaged;
    }
  }
}

test('damaged and foreign files are skipped: sound writers’ spans arrive, each once and under their own name', async (t) => {
  const sources = await tempDir(t);
  const writer = runProgram(t, fixture('span-writer'), { args: [sources, 'write', '300', 'victim', '4', 'wait'] });
  await writer.waitForOutput(/written/);
  writer.kill('SIGKILL');
  await writer.waitForExit();
  const files = readdirSync(sources).map((name) => ({ name, bytes: readFileSync(join(sources, name)) }));
  assert.ok(files.length >= 2);

  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const random = repeatable(7);
  // What cannot be decoded would make the endpoint fail this test.
  const endpoint = await OtlpEndpoint.start(t);
  const target: ResolvedExport = {
    to: 'otlp-grpc',
    url: endpoint.grpcUrl,
    headers: {},
    compression: 'none',
    timeoutMs: 5000,
    tls: {},
  };

  const dir = await tempDir(t);
  const sound = runProgram(t, fixture('span-writer'), { args: [dir, 'write', '50', 'sound', '0', 'close'] });
  await sound.waitForExit();
  mkdirSync(join(dir, `${'0'.repeat(32)}-1.segment`));
  symlinkSync('/etc/passwd', join(dir, `${'1'.repeat(32)}-1.segment`));
  writeFileSync(join(dir, 'notes.txt'), 'mine');
  for (let round = 0; round < ROUNDS; round++) {
    const id = (round + 16).toString(16).padStart(32, '0');
    for (const { name, bytes } of files) {
      // Half of them keep the writer's id, so that its header is believed.
      const target = join(dir, random(2) ? name : `${id}${name.slice(32)}`);
      if (random(10) === 0) copyFileSync(join(sources, name), target);
      else writeFileSync(target, damage(bytes, random));
    }
    const lock = ShipperLock.acquire(dir);
    assert.ok(lock);
    const shipper = new Shipper({ dir, lock, export: target, maxBytes: 2 ** 28 });
    const done = shipper.run();
    await waitFor(() => shipper.liveWriters === 0 || shipper.stats().lagBytes > 0, 'a look at the directory');
    shipper.stop(5000, true);
    await done;
  }
  await endpoint.waitForSpans((spans) => spans.filter(({ name }) => name.startsWith('sound')).length >= 50);
  const soundSpans = endpoint.received().filter(({ resource }) => resource['writer.prefix'] === 'sound');
  assert.deepEqual(
    soundSpans.map(({ name }) => name).sort(),
    Array.from({ length: 50 }, (_, n) => `sound ${n}`).sort(),
  );
  for (const { name, resource } of endpoint.received()) {
    if (/^victim \d+$/.test(name)) assert.notEqual(resource['writer.prefix'], 'sound');
  }
  assert.equal(readFileSync(join(dir, 'notes.txt'), 'utf8'), 'mine');
  assert.equal(endpoint.requests.filter(({ answer }) => answer !== 'ok').length, 0);
  assert.ok(warnings.some(({ message }) => /unreadable parts? of the journal skipped/.test(message)));
});
