// Bundles the Model Context Protocol's SDK into dist/mcp/protocol.js, over what tsc has put there: the
// package has no more dependencies because of it.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeLicences } from './bundled-licences.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}dist/mcp`;

// The SDK checks answers to forms that a server shows its user by a validator of JSON Schema, half of its
// size. Ours shows none.
const withoutValidator = {
  name: 'without-validator',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/ajv-provider\.js$/ }, () => ({ path: 'ajv-provider', namespace: 'none' }));
    onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'export class AjvJsonSchemaValidator {}' }));
  },
};

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [`${root}src/mcp/protocol.ts`],
  outfile: `${target}/protocol.js`,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // The CommonJS packages among what is bundled call require().
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  plugins: [withoutValidator],
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
writeLicences(Object.keys(metafile.inputs), target);
