// Compiles src, test, examples and bench, and bundles the viewer's page.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run('node_modules/typescript/bin/tsc', '-b');
run('scripts/build-bundles.mjs');
run('scripts/build-shipper.mjs');
run('scripts/build-sdk.mjs');
run('scripts/hash-bundles.mjs');
run('scripts/build-mcp.mjs');
run('scripts/build-page.mjs');
if (existsSync(`${root}dist/cli/main.js`)) chmodSync(`${root}dist/cli/main.js`, 0o755);
