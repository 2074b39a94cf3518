import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as semconv from '@opentelemetry/semantic-conventions/incubating';
import { EMITTED } from '#src/wire/conventions.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('each name is declared once, and is in the semantic conventions if it says so', () => {
  const names = EMITTED.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
  const conventional = new Set<unknown>(Object.values(semconv));
  for (const { name, conventional: follows, says } of EMITTED) {
    assert.equal(conventional.has(name), follows, name);
    assert.match(says, /^\S.*\.$/, name);
  }
});

test('no name is written anywhere else', () => {
  const names = new Set(EMITTED.map(({ name }) => name));
  const found: string[] = [];
  for (const file of readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(file) || file === 'wire/conventions.ts') continue;
    const code = readFileSync(`${root}src/${file}`, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    for (const [, , literal] of code.matchAll(/(['"])([\w.]+)\1/g)) {
      if (names.has(literal!)) found.push(`${file}: ${literal}`);
    }
  }
  assert.deepEqual(found, []);
});
