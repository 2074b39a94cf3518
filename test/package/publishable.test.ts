import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../process/temp-dir.js';
import { root } from './installed.js';

const RELEASED = '# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2026-12-01\n\n### Added\n\n- All.\n';
const REPOSITORY = { repository: 'owner/name' };

for (const [what, manifest, changelog, missing] of [
  ['with everything', REPOSITORY, RELEASED, []],
  ['without a section of changes to come', REPOSITORY, RELEASED.replace('## Unreleased\n\n', ''), []],
  ['without a repository', {}, RELEASED, [/has no `repository`/]],
  ['without a date', REPOSITORY, RELEASED.replace(' - 2026-12-01', ''), [/no section `## 1\.2\.0 - YYYY-MM-DD`/]],
  ['of another version', REPOSITORY, RELEASED.replace('1.2.0', '1.1.0'), [/no section `## 1\.2\.0/]],
  ['with changes to come', REPOSITORY, RELEASED.replace('Unreleased\n', 'Unreleased\n\n- More.\n'), [/unreleased/]],
] as const) {
  test(`publishing ${what}`, async (t) => {
    const dir = await tempDir(t);
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'p', version: '1.2.0', ...manifest }));
    writeFileSync(join(dir, 'CHANGELOG.md'), changelog);
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/publishable.mjs'), dir]);
    const lines = String(stderr).split('\n').filter(Boolean);
    assert.equal(lines.length, missing.length, String(stderr));
    for (const [index, pattern] of missing.entries()) assert.match(lines[index]!, pattern);
    assert.equal(status, missing.length === 0 ? 0 : 1);
  });
}
