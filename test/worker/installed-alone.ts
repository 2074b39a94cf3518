import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../process/temp-dir.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * A project with forktrace and the API, and nothing else of OpenTelemetry for either to find.
 *
 * @returns its directory
 */
export async function installedAlone(t: TestContext): Promise<string> {
  const dir = await tempDir(t);
  const installed = join(dir, 'node_modules/forktrace');
  await cp(`${root}dist`, join(installed, 'dist'), { recursive: true });
  await cp(`${root}package.json`, join(installed, 'package.json'));
  await mkdir(join(dir, 'node_modules/@opentelemetry'));
  await symlink(`${root}node_modules/@opentelemetry/api`, join(dir, 'node_modules/@opentelemetry/api'));
  return dir;
}
