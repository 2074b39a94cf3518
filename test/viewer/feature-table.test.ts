import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const file = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

test('each feature that docs/viewer.md claims is shown by a test that is there', () => {
  const rows = file('docs/viewer.md')
    .split('\n')
    .filter((line) => /^\| .* \| [●○–] \| [●○–] \|/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  assert.ok(rows.length > 15);
  for (const [, feature, ours, , , , , shownBy = ''] of rows) {
    if (ours === '–') {
      assert.equal(shownBy, '', feature);
      continue;
    }
    const [, name, title] = /^([\w-]+): (.+)$/.exec(shownBy) ?? [];
    assert.ok(name && title, `${feature}: no test is named`);
    assert.ok(file(`test/viewer/${name}.test.ts`).includes(title), `${feature}: ${shownBy}`);
  }
});
