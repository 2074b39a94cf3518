import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  linkSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { endOfStderrFile, type StderrFile, stderrFile } from '#src/forensics/stderr-file.js';
import { tempDir } from '../process/temp-dir.js';

const SECRET = 'what is in another file\n';
const file = (path: string): StderrFile => ({ path, from: 0, since: 0 });

test('what was written in the life of the process', async (t) => {
  for (const name of ['error.log', 'with a\nline and "quotes"', 'ünïcode-日本', '-rf', '%2e%2e', 'x'.repeat(255)]) {
    const path = join(await tempDir(t), name);
    writeFileSync(path, 'an earlier life\n');
    const first = stderrFile(path)!;
    assert.equal(endOfStderrFile(first), undefined, 'nothing yet');
    appendFileSync(path, 'first\n');
    const second = { ...stderrFile(path)!, since: first.since + 1 };
    const sibling = { ...second, slot: 3 };
    appendFileSync(path, 'second\n');
    assert.equal(endOfStderrFile(first), 'first\nsecond\n');
    assert.equal(
      endOfStderrFile(first, [sibling, { ...second, since: second.since + 1, from: 0 }, second, first]),
      'first\n',
      'until the next begins',
    );
  }
});

test('the last 16 KiB of much, from a whole line on', async (t) => {
  const path = join(await tempDir(t), 'error.log');
  const line = (n: number) => `${String(n).padStart(6)} ${'é'.repeat(20)}\n`;
  const all = Array.from({ length: 10_000 }, (_, n) => line(n)).join('');
  for (let cut = 0; cut < Buffer.byteLength(line(0)); cut++) {
    writeFileSync(path, Buffer.from(all).subarray(cut));
    const words = endOfStderrFile(file(path))!;
    assert.ok(all.endsWith(words) && words.startsWith(line(0).slice(0, 2)), words.slice(0, 60));
    const bytes = Buffer.byteLength(words);
    assert.ok(bytes <= 16_384 && bytes > 16_384 - Buffer.byteLength(line(0)), `${bytes} bytes`);
  }
  writeFileSync(path, 'x'.repeat(100_000));
  assert.equal(endOfStderrFile(file(path)), 'x'.repeat(16_384), 'one long line: its end');
});

test('a file that is emptied, made anew or made later', async (t) => {
  const path = join(await tempDir(t), 'error.log');
  const late = stderrFile(path)!;
  writeFileSync(path, 'made later\n');
  assert.equal(endOfStderrFile(late), 'made later\n');
  const before = stderrFile(path)!;
  truncateSync(path);
  appendFileSync(path, 'emptied\n');
  assert.equal(endOfStderrFile(before), 'emptied\n');
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'made anew\n');
  assert.equal(endOfStderrFile(before), 'made anew\n');
  assert.equal(endOfStderrFile({ ...before, since: Date.now() + 1000 }), undefined, 'one that was there before it');
});

test('what is no file of this user alone is not read, and waited for neither', async (t) => {
  const dir = await tempDir(t);
  const secret = join(dir, 'secret');
  writeFileSync(secret, SECRET);
  const kinds: Record<string, (path: string) => void> = {
    'a symbolic link': (path) => symlinkSync(secret, path),
    'a hard link': (path) => linkSync(secret, path),
    'a link to nothing': (path) => symlinkSync(join(dir, 'nothing'), path),
    'a link to itself': (path) => symlinkSync(path, path),
    'a pipe': (path) => execFileSync('mkfifo', [path]),
    'a directory': (path) => mkdirSync(path),
    nothing: () => {},
  };
  if (process.geteuid?.() === 0) {
    kinds["another user's file"] = (path) => {
      writeFileSync(path, SECRET);
      chownSync(path, 12_345, 12_345);
    };
  }
  for (const [kind, make] of Object.entries(kinds)) {
    const path = join(await tempDir(t), 'error.log');
    make(path);
    assert.equal(endOfStderrFile(file(path)), undefined, kind);
  }
  for (const path of ['/dev/zero', '/dev/tty', '/dev/stdin', '/proc/self/environ', '', 'NULL', `${secret}\0`]) {
    assert.equal(endOfStderrFile(file(path)), undefined, path);
  }
  assert.equal(endOfStderrFile(file(relative(process.cwd(), secret))), undefined, 'a relative path');
});

test('a process tells no path where nothing will be found', () => {
  for (const path of [undefined, '', 'NULL', 'error.log', '/dev/null', '/tmp', '/tmp/\0']) {
    assert.equal(stderrFile(path), undefined, String(path));
  }
});
