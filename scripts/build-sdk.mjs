// Bundles the parts of OpenTelemetry's SDK that src/sdk/ names into dist/sdk, over what tsc has put there.
//
// They are bundled, not installed, since the SDK's packages ask for one line of @opentelemetry/api as their peer: an
// application that is on another line could not install forktrace beside it. Bundled, they also load faster.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'dist/sdk');
const entries = readdirSync(join(root, 'src/sdk')).filter((file) => file !== 'types.ts');
// Every worker loads these. They are bundled apart: some packages of the others are CommonJS, which pulls in whole packages.
const small = ['context-manager.ts', 'propagators.ts', 'samplers.ts', 'suppress-tracing.ts'];

for (const file of readdirSync(target)) if (file.startsWith('chunk-')) rmSync(join(target, file));
const inputs = [...(await bundle(small)), ...(await bundle(entries.filter((file) => !small.includes(file))))];

async function bundle(files) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: files.map((file) => join(root, 'src/sdk', file)),
    outdir: target,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    external: ['@opentelemetry/api', '@grpc/grpc-js'],
    // The CommonJS packages among them call require().
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    chunkNames: 'chunk-[hash]',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs);
}

// The licences of what is bundled go with it.
const packages = new Map();
for (const input of inputs) {
  const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(input) ?? [];
  if (name) packages.set(name, input.slice(0, input.lastIndexOf(name) + name.length));
}
const byText = new Map();
for (const [name, dir] of [...packages].sort()) {
  const { version, license } = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8'));
  if (!/^(Apache-2\.0|MIT|ISC|BSD-[23]-Clause)$/.test(license)) throw new Error(`${name} has the licence ${license}`);
  const file = readdirSync(join(root, dir)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(root, dir, file), 'utf8').trim() : license;
  byText.set(text, [...(byText.get(text) ?? []), `${name} ${version}`]);
}
const header = 'The files of this folder contain code of the packages below, bundled, otherwise unchanged.';
const notices = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text}`);
writeFileSync(join(target, 'LICENSES'), `${[header, ...notices].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
