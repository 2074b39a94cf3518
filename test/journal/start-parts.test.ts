import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { crc32 } from '#src/journal/crc32.js';
import { loadKoffi } from '#src/journal/load-koffi.js';
import { fillAtStart, randomHexAtStart, randomUuidAtStart } from '#src/journal/random-bytes.js';

test('the CRC-32 is that of zlib, in one piece and in two', () => {
  const bytes = new Uint8Array(5000);
  fillAtStart(bytes);
  for (const length of [0, 1, 2, 100, 255, 4096, 5000]) {
    const whole = bytes.subarray(0, length);
    assert.equal(crc32(whole), zlib.crc32(whole));
    for (const cut of [0, 1, length >> 1, length].filter((at) => at <= length)) {
      assert.equal(crc32(whole.subarray(cut), crc32(whole.subarray(0, cut))), zlib.crc32(whole));
    }
  }
});

test('random bytes fill all of what is given, and differ', () => {
  const words = new Uint8Array(16_384);
  fillAtStart(words);
  assert.ok(new Set(words).size > 200);
  assert.ok(words.subarray(-64).some((byte) => byte !== 0));
  assert.match(randomHexAtStart(16), /^[0-9a-f]{32}$/);
  assert.notEqual(randomHexAtStart(16), randomHexAtStart(16));
  for (let i = 0; i < 100; i++) {
    assert.match(randomUuidAtStart(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  assert.notEqual(randomUuidAtStart(), randomUuidAtStart());
});

test("koffi's binary is found without koffi's own search, and calls C", { skip: process.platform !== 'linux' }, () => {
  const require = createRequire(import.meta.url);
  const getpid = loadKoffi(require).load(null).func('int getpid()');
  assert.equal(getpid(), process.pid);
  const isLoaded = Object.keys(require.cache).some((file) => /[\\/]koffi[\\/]index\.cjs$/.test(file));
  assert.equal(isLoaded, !['x64', 'arm64'].includes(process.arch));
});
