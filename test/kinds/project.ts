import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../process/temp-dir.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** An empty project with forktrace and `packages` of this repository installed, gone with the test. */
export async function projectWithForktrace(
  t: TestContext,
  type: 'module' | 'commonjs',
  packages: readonly string[] = ['@opentelemetry/api'],
): Promise<string> {
  const project = await tempDir(t);
  await installForktrace(project);
  for (const name of packages) await link(join(root, 'node_modules', name), join(project, 'node_modules', name));
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'app', version: '1.2.3', type }));
  return project;
}

/** Instead of what is there. */
export async function installForktrace(project: string): Promise<void> {
  const path = join(project, 'node_modules/forktrace');
  await rm(path, { recursive: true, force: true });
  await link(root, path);
}

/**
 * What a bundler reads of the package, as files of the project's own: they are gone when the project has them
 * no longer.
 */
export async function copyEntryPoints(project: string): Promise<void> {
  const path = join(project, 'node_modules/forktrace');
  await rm(path, { recursive: true, force: true });
  for (const file of ['package.json', 'dist/index.js', 'dist/index.cjs', 'dist/register.js', 'dist/register.cjs'])
    await cp(join(root, file), join(path, file));
}

async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path, 'junction');
}

/** A package of test/kinds. */
export function installKind(project: string, name: string): Promise<void> {
  return link(join(root, 'test/kinds/node_modules', name), join(project, 'node_modules', name));
}
