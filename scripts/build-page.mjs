// Bundles the viewer's page into dist/viewer/page; `tsc -b` has type-checked it.
import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const source = fileURLToPath(new URL('../src/viewer/page/', import.meta.url));
const target = fileURLToPath(new URL('../dist/viewer/page/', import.meta.url));

mkdirSync(target, { recursive: true });
await build({
  entryPoints: [`${source}main.tsx`],
  outfile: `${target}page.js`,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome109', 'firefox115', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'eof',
  logLevel: 'warning',
});
await build({
  entryPoints: [`${source}page.css`],
  outfile: `${target}page.css`,
  bundle: true,
  minify: true,
  target: ['chrome109', 'firefox115', 'safari16.4'],
  logLevel: 'warning',
});
for (const file of ['index.html', 'icon.svg']) copyFileSync(source + file, target + file);
