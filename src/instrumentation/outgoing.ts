import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { warn } from '../warn.js';
import { construct } from './construct.js';
import { hasOwn } from './enabled.js';
import { checkVersions } from './fitting-versions.js';
import { appDirectory, PREFIX } from './installed.js';
import type { Instrumentation } from './instrumentation.js';
import { packageFrom } from './package-manifest.js';

/** Of `fetch` and of outgoing `http`. */
const PACKAGES = ['undici', 'http'].map((name) => PREFIX + name);

/**
 * The official instrumentations of `fetch` (undici) and of outgoing `http`, those that are installed.
 *
 * @param enabled names of those that are enabled anyway; those that the app has made are not needed either
 * @throws ForktraceError with code FORKTRACE_INSTRUMENTATION_VERSION
 */
export function outgoingInstrumentations(enabled: ReadonlySet<string>): Instrumentation[] {
  return PACKAGES.filter((name) => !enabled.has(name) && !hasOwn(name)).flatMap(
    (name) => constructInstalled(name) ?? [],
  );
}

/**
 * From where the app is first: with some package managers forktrace cannot see what the app has installed.
 */
function constructInstalled(name: string): Instrumentation | undefined {
  const places = [appDirectory(), process.cwd(), dirname(fileURLToPath(import.meta.url))];
  const found = places.map((from) => packageFrom(from, name)).find((one) => one !== undefined);
  if (found === undefined) {
    warn('FORKTRACE_OUTGOING_MISSING', `Option outgoing needs the package ${name}, which is not installed.`);
    return undefined;
  }
  checkVersions(found);
  return construct(found);
}
