// The Node.js binary of a major version: this process's own where it fits, else from the npm package `node`,
// kept in .node/<major>.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export function nodeOf(major) {
  if (process.version.startsWith(`v${major}.`)) return process.execPath;
  const dir = `${root}.node/${major}`;
  const binary = `${dir}/node_modules/node/bin/node`;
  if (!existsSync(binary)) {
    mkdirSync(dir, { recursive: true });
    // A package.json of its own, so that npm installs here and not above.
    writeFileSync(`${dir}/package.json`, '{"private":true}\n');
    const install = ['install', '--no-audit', '--no-fund', '--foreground-scripts', `node@${major}`];
    const { status } = spawnSync('npm', install, { cwd: dir, stdio: 'inherit' });
    if (status !== 0 || !existsSync(binary)) throw new Error(`could not fetch Node ${major}`);
  }
  return binary;
}
