// What is missing before `npm publish`, which runs this first:
//   node scripts/publishable.mjs [directory of the package]
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
const { version, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');

const missing = [];
if (repository === undefined)
  missing.push("package.json has no `repository`: with it, a registry's page resolves the README's links and pictures");
const sections = changelog.split(/^## /m).slice(1);
const isDated = (section) => section.startsWith(`${version} - `) && /^\S+ - \d{4}-\d\d-\d\d\n/.test(section);
if (!sections.some(isDated)) missing.push(`CHANGELOG.md has no section \`## ${version} - YYYY-MM-DD\``);
const unreleased = sections.find((section) => section.startsWith('Unreleased'));
if (unreleased !== undefined && unreleased.split('\n').slice(1).join('').trim() !== '')
  missing.push(`CHANGELOG.md has unreleased changes: they belong to ${version}`);
for (const what of missing) console.error(what);
process.exitCode = missing.length === 0 ? 0 : 1;
