/**
 * Packages of a folder with a package.json of its own: many and large, so that they are installed apart from
 * the others, once, by the first test that wants one.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isAlive } from './alive.js';
import { waitFor } from './wait-for.js';

/** Of the packages of test/frameworks. */
export function frameworksRequire(): Promise<NodeJS.Require> {
  return installedIn('test/frameworks');
}

/**
 * Resolves from a folder whose packages it installs if they are not there. Test files run side by side: one
 * installs.
 */
export async function installedIn(path: string): Promise<NodeJS.Require> {
  const folder = fileURLToPath(new URL(`../../${path}/`, import.meta.url));
  const lock = `${folder}.installing`;
  while (!isInstalled(folder)) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
    } catch {
      await waitFor(() => !isHeld(lock), `another test installs ${path}`, 170_000);
      continue;
    }
    try {
      const npm = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--force'];
      execFileSync('npm', npm, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], timeout: 170_000 });
    } finally {
      rmSync(lock, { force: true });
    }
  }
  return createRequire(`${folder}package.json`);
}

/** A test that was killed while it installed has left its lock. */
function isHeld(lock: string): boolean {
  if (!existsSync(lock)) return false;
  const pid = Number(readFileSync(lock, 'utf8'));
  if (pid === 0 || isAlive(pid)) return true;
  rmSync(lock, { force: true });
  return false;
}

/** What is in place says so by npm's own list, which it writes last. */
function isInstalled(folder: string): boolean {
  const list = `${folder}node_modules/.package-lock.json`;
  return existsSync(list) && statSync(list).mtimeMs >= statSync(`${folder}package-lock.json`).mtimeMs;
}
