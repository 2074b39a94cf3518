import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { errors } from '#src/errors.js';
import { warnings } from '#src/warn.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

function* sources(): Generator<string> {
  for (const entry of readdirSync(`${root}src`, { recursive: true, withFileTypes: true })) {
    if (/\.tsx?$/.test(entry.name)) yield readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8');
  }
}

test('every error of the table is thrown or sent, and every warning given', () => {
  const all = [...sources()].join('\n');
  const unused = [...Object.keys(errors), ...Object.keys(warnings)].filter(
    // Once in its table, and once where it happens.
    (code) => (all.match(new RegExp(`\\b${code}\\b`, 'g')) ?? []).length < 2,
  );
  assert.deepEqual(unused, []);
});

test('docs/README.md links every page', () => {
  const index = readFileSync(`${root}docs/README.md`, 'utf8');
  const pages = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md') && name !== 'README.md');
  assert.deepEqual(
    pages.filter((page) => !index.includes(`](${page})`)),
    [],
  );
});

test('links between pages lead somewhere', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(`${root}docs`).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
  ];
  for (const page of pages) {
    for (const [, target] of readFileSync(root + page, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const url = new URL(target!, `file://${root}${page}`);
      assert.doesNotThrow(() => readFileSync(url), `${page}: ${target}`);
    }
  }
});
