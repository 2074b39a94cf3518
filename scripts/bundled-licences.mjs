// The licences of what is bundled go with it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Writes LICENSES into the folder `target`; `inputs` are the bundled files, as esbuild names them. */
export function writeLicences(inputs, target) {
  const packages = new Map();
  for (const input of inputs) {
    const [, dir, name] = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(input) ?? [];
    if (name) packages.set(name, dir);
  }
  const byText = new Map();
  for (const [name, dir] of [...packages].sort()) {
    const { version, license } = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8'));
    if (!/^(Apache-2\.0|MIT|ISC|BSD-[23]-Clause)$/.test(license)) throw new Error(`${name} has the licence ${license}`);
    const file = readdirSync(join(root, dir)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? readFileSync(join(root, dir, file), 'utf8').trim() : license;
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version}`]);
  }
  const header = 'The bundles of forktrace contain code of the packages below, otherwise unchanged.';
  const notices = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text}`);
  writeFileSync(join(target, 'LICENSES'), `${[header, ...notices].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
}
