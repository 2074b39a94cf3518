// Bundles the parts of OpenTelemetry's SDK that src/sdk/ names into dist/sdk, over what tsc has put there.
//
// They are bundled, not installed, since the SDK's packages ask for one line of @opentelemetry/api as their
// peer: an application that is on another line could not install forktrace beside it. Bundled, they also load
// faster. They are CommonJS: what an ES module imports that was loaded by `require` is not found by Yarn's
// Plug'n'Play.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { writeLicences } from './bundled-licences.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'dist/sdk');
const entries = readdirSync(join(root, 'src/sdk')).filter((file) => file !== 'types.ts');
// Every worker loads these, and calls them often: each is one file, with no getter of another module in it.
const small = ['context-manager.ts', 'propagators.ts', 'samplers.ts', 'suppress-tracing.ts'];

for (const file of readdirSync(target)) if (/^chunk-|\.cjs$/.test(file)) rmSync(join(target, file));
const inputs = [...(await bundleSmall()), ...(await bundleOthers())];

function options(files) {
  return {
    absWorkingDir: root,
    entryPoints: files.map((file) => join(root, 'src/sdk', file)),
    outdir: target,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    external: ['@opentelemetry/api', '@grpc/grpc-js'],
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  };
}

async function bundleSmall() {
  const api = createRequire(import.meta.url)('@opentelemetry/api');
  const names = Object.keys(api).filter((name) => name !== 'default');
  const contents = [
    "const api = require('@opentelemetry/api');",
    ...names.map((name) => `export const ${name} = api.${name};`),
  ].join('\n');
  const constants = {
    name: 'constants',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^@opentelemetry\/api$/ }, ({ path, namespace }) =>
        namespace === 'constants' ? { path, external: true } : { path, namespace: 'constants' },
      );
      onLoad({ filter: /./, namespace: 'constants' }, () => ({ contents }));
    },
  };
  const { metafile, outputFiles } = await build({ ...options(small), format: 'cjs', plugins: [constants] });
  for (const { path, text } of outputFiles) {
    const source = Object.keys(metafile.inputs).find((input) => input.endsWith(`sdk/${basename(path, '.js')}.ts`));
    write(path, text, await exportsOf(source));
  }
  return Object.keys(metafile.inputs);
}

/** What several of them need is in a file of its own. esbuild splits ES modules only. */
async function bundleOthers() {
  const files = entries.filter((file) => !small.includes(file));
  const { metafile, outputFiles } = await build({
    ...options(files),
    format: 'esm',
    splitting: true,
    chunkNames: 'chunk-[hash]',
  });
  for (const { path, text } of outputFiles) {
    const source = text.replaceAll(/(?<=(?:from|import) "\.\/[\w-]+)\.js(?=")/g, '.cjs');
    const { code } = await transform(source, { format: 'cjs', platform: 'node', target: 'node20.19' });
    write(path, code, metafile.outputs[`dist/sdk/${basename(path)}`].exports);
  }
  return Object.keys(metafile.inputs);
}

async function exportsOf(source) {
  const { metafile } = await build({ ...options([]), entryPoints: [source], format: 'esm' });
  return Object.values(metafile.outputs)[0].exports;
}

/** What imports one of them by its name gets the same instance. */
function write(path, code, exported) {
  const file = basename(path);
  const common = file.replace(/\.js$/, '.cjs');
  writeFileSync(join(target, common), code);
  if (file.startsWith('chunk-')) return;
  writeFileSync(
    path,
    `import { createRequire } from 'node:module';\n\nexport const { ${exported.join(', ')} } = createRequire(import.meta.url)('./${common}');\n`,
  );
}

// With that of bundle-api.cjs, which is beside this folder.
writeLicences([...inputs, 'node_modules/@opentelemetry/api/build/src/index.js'], target);
