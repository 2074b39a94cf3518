// Writes what follows from the tables of the sources: public types and reference pages.
//   npm run generate            writes what has changed
//   npm run generate -- --check  fails when something is not current
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { cliPage } from './reference/cli-page.mjs';
import { configurationPage } from './reference/configuration-page.mjs';
import { emittedPage } from './reference/emitted-page.mjs';
import { environmentPage } from './reference/environment-page.mjs';
import { errorsPage } from './reference/errors-page.mjs';
import { tracingConfigTypes } from './reference/tracing-config-types.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');

/** What a command loads when it is called is no part of its description. */
const whatCommandsLoad = {
  name: 'what commands load',
  setup: ({ onResolve }) =>
    onResolve({ filter: /./ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : undefined)),
};

const tables = await load(`
  export { sections } from './src/config/options/table.ts';
  export * as variables from './src/config/variables.ts';
  export { errors } from './src/errors.ts';
  export { warnings } from './src/warn.ts';
  export * as conventions from './src/wire/conventions.ts';
  export { commands } from './src/cli/command-list.ts';
  export { Command } from 'commander';
`);

const outputs = {
  'src/config/tracing-config.ts': tracingConfigTypes,
  'docs/cli.md': cliPage,
  'docs/configuration.md': configurationPage,
  'docs/environment.md': environmentPage,
  'docs/emitted.md': emittedPage,
  'docs/errors.md': errorsPage,
};

let stale = 0;
for (const [path, render] of Object.entries(outputs)) {
  const current = existsSync(root + path) ? readFileSync(root + path, 'utf8') : '';
  const text = formatted(path, render(tables, current));
  if (text === current) continue;
  stale++;
  if (check) console.error(`${path} is not current: npm run generate`);
  else {
    writeFileSync(root + path, text);
    console.log(`written: ${path}`);
  }
}
if (check && stale > 0) process.exit(1);

/** As `npm run format` has it. */
function formatted(path, text) {
  if (!path.endsWith('.ts')) return text;
  const { stdout, status, stderr } = spawnSync(
    process.execPath,
    ['node_modules/@biomejs/biome/bin/biome', 'check', '--write', `--stdin-file-path=${path}`],
    { cwd: root, input: text, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** The sources themselves, not dist/: what is generated must not have to compile first. */
async function load(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    plugins: [whatCommandsLoad],
    // For what is CommonJS in the bundle.
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(`${root}package.json`)});`,
    },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
}
