// What `npm run docs` must not let pass, put before what builds the site, with the site's own settings.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { tempDir } from '../process/temp-dir.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const site = join(root, 'site');
const isBuilt = existsSync(join(site, 'node_modules')) && existsSync(join(site, 'pages/sidebar.json'));
const skip = !isBuilt && process.env.CI !== 'true' && 'SKIPPED: `npm run docs` has not run here';

function build(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: site, encoding: 'utf8' });
  return { status, output: stripVTControlCharacters(stdout + stderr) };
}

test('an export without documentation and a type that leaks are errors of the API pages', { skip }, async (t) => {
  const dir = await tempDir(t);
  const file = join(dir, 'index.ts');
  const documented = '/** What it is. */\nexport interface Documented {\n  /** Its name. */\n  name: string;\n}\n';
  writeFileSync(join(dir, 'package.json'), '{ "name": "p", "type": "module" }');
  const settings = { extends: join(site, 'tsconfig.json'), files: [file] };
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(settings));
  // The site's, without those that it leaves out by name.
  const options = {
    ...{ extends: [join(site, 'typedoc.json')], tsconfig: 'tsconfig.json', entryPoints: [file], emit: 'none' },
    ...{ intentionallyNotExported: [], intentionallyNotDocumented: [] },
  };
  writeFileSync(join(dir, 'typedoc.json'), JSON.stringify(options));
  const undocumented =
    'export function bare(): void {}\n/** Has one. */\nexport interface Has {\n  member: string;\n}\n';
  const leaking = 'interface Inner {\n  a: string;\n}\n/** Gives it away. */\nexport declare function leak(): Inner;\n';
  writeFileSync(file, documented + undocumented + leaking);
  const { status, output } = build('node_modules/typedoc/bin/typedoc', '--options', join(dir, 'typedoc.json'));
  assert.notEqual(status, 0, output);
  assert.match(output, /\bbare\b.*does not have any documentation/);
  assert.match(output, /\bHas\.member\b.*does not have any documentation/);
  assert.match(output, /\bInner\b.*is referenced by leak but not included in the documentation/);
  assert.doesNotMatch(output, /Documented/);
});

test('the API pages are of every module that the package exports', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { entryPoints } = JSON.parse(readFileSync(join(site, 'typedoc.json'), 'utf8'));
  const types = Object.entries<{ import?: { types: string } }>(exports).flatMap(([name, { import: module }]) =>
    // `forktrace/register` is imported for what it does.
    module === undefined || name === './register' ? [] : [module.types],
  );
  const sources = types.map((path) => path.replace('./dist/', '../src/').replace('.d.ts', '.ts'));
  assert.deepEqual(entryPoints.sort(), sources.sort());
});

test('a link that leads nowhere is an error of the site', { skip }, async (t) => {
  const dir = await tempDir(t);
  mkdirSync(join(dir, '.vitepress'));
  const config = JSON.stringify(join(site, '.vitepress/config.mts'));
  writeFileSync(
    join(dir, '.vitepress/config.mts'),
    `import config from ${config};\nexport default { ...config, srcDir: '.', outDir: 'out', cacheDir: 'cache' };\n`,
  );
  writeFileSync(join(dir, 'index.md'), '# Index\n\n[there](other.md) [nowhere](gone.md)\n');
  writeFileSync(join(dir, 'other.md'), '# Other\n');
  const { status, output } = build('node_modules/vitepress/bin/vitepress.js', 'build', dir);
  assert.notEqual(status, 0, output);
  assert.match(output, /dead link.* \.?\/?gone/);
  assert.doesNotMatch(output, /dead link.*other/);
});
