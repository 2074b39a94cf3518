import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const root = fileURLToPath(new URL('../../', import.meta.url));

interface Manifest {
  version: string;
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

export const manifest: Manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

/** What `npm install forktrace` brings along. */
export const installedWithIt = [
  ...Object.keys(manifest.dependencies),
  ...Object.keys(manifest.optionalDependencies),
  ...Object.keys(manifest.peerDependencies),
];

/**
 * Packs the package and installs it, as a user would, into `project`, with links to the packages that it
 * needs and no others. Resolves with the paths that the package holds.
 */
export async function installPacked(project: string, others: readonly string[] = []): Promise<string[]> {
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', project];
  const { stdout } = await run('npm', pack, { cwd: root, maxBuffer: 16 * 1024 * 1024 });
  // npm 10 and 11 answer with an array, later ones with an object by name.
  const [{ filename, files }] = Object.values(JSON.parse(stdout)) as [{ filename: string; files: { path: string }[] }];
  const modules = join(project, 'node_modules');
  await mkdir(join(modules, 'forktrace'), { recursive: true });
  await run('tar', ['-xzf', join(project, filename), '-C', join(modules, 'forktrace'), '--strip-components=1']);
  for (const name of [...installedWithIt, ...others]) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(root, 'node_modules', name), join(modules, name), 'junction');
  }
  return files.map(({ path }) => path);
}

/** The packages that this source imports. */
export function* importedPackages(source: string): Generator<string> {
  for (const [, name] of source.matchAll(/^\s*(?:import|export)\b[^'"();]*?\bfrom\s*['"]([^'"]+)['"]/gm))
    yield* packageOf(name!);
  for (const [, name] of source.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]\s*\)/g)) yield* packageOf(name!);
}

function* packageOf(specifier: string): Generator<string> {
  if (/^[.#/]|^node:/.test(specifier) || builtinModules.includes(specifier)) return;
  yield specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
