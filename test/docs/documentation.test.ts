import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

function* sources(): Generator<string> {
  for (const entry of readdirSync(`${root}src`, { recursive: true, withFileTypes: true })) {
    if (/\.tsx?$/.test(entry.name)) yield readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8');
  }
}

/** Codes in the first column of the tables under a heading. */
function listed(heading: string): string[] {
  const page = readFileSync(`${root}docs/errors.md`, 'utf8');
  const section = page.split(/^## /m).find((each) => each.startsWith(heading))!;
  return [...section.matchAll(/^\| `(FORKTRACE_\w+)` \|/gm)].map(([, code]) => code!);
}

const codes = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, code]) => code!);

test('docs/errors.md lists every error, and none that is not thrown', () => {
  const table = readFileSync(`${root}src/errors.ts`, 'utf8');
  const thrown = codes(table, /^ {2}(FORKTRACE_\w+): \(/gm);
  assert.ok(thrown.length > 20);
  // The control socket's answer to an error that has no code.
  assert.deepEqual(listed('Errors').sort(), [...thrown, 'FORKTRACE_CONTROL'].sort());
});

test('docs/errors.md lists every warning, and none that is not given', () => {
  const given = new Set<string>();
  for (const source of sources()) {
    for (const code of codes(source, /(?:\bwarn|new LossReport)\(\s*'(FORKTRACE_\w+)'/g)) given.add(code);
  }
  assert.ok(given.size > 15);
  // Said among the errors that they also are.
  const both = ['FORKTRACE_JOURNAL_DIR', 'FORKTRACE_RELOAD_ABORTED'];
  assert.deepEqual([...listed('Warnings'), ...both].sort(), [...given].sort());
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
