import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
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

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(`${root}docs`).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];

/** As GitHub and the site make them. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading!
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test('links between pages lead somewhere, to a heading where they name one', () => {
  for (const page of pages) {
    for (const [, target, anchor] of readFileSync(root + page, 'utf8').matchAll(
      /\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)/g,
    )) {
      const url = target === '' ? new URL(page, `file://${root}`) : new URL(target!, `file://${root}${page}`);
      let text = '';
      assert.doesNotThrow(() => {
        text = readFileSync(url, 'utf8');
      }, `${page}: ${target}`);
      if (anchor !== undefined) assert.ok(anchorsOf(text).has(anchor), `${page}: ${target}#${anchor}`);
    }
  }
});

test('source files that a page names are there', () => {
  for (const page of pages) {
    for (const [, path] of readFileSync(root + page, 'utf8').matchAll(/`(?:src\/)?([a-z0-9]+\/[\w/-]+\.ts)`/g)) {
      const there = existsSync(`${root}src/${path}`) || existsSync(root + path);
      assert.ok(there, `${page}: ${path}`);
    }
  }
});
