import { isMainThread } from 'node:worker_threads';
import type { ResolvedConfig } from '../config/resolved.js';
import type { WorkerIdentity } from '../config/types.js';
import { type StderrFile, stderrFile } from '../forensics/stderr-file.js';

let file: StderrFile | undefined;
let isTaken = false;

/**
 * Where pm2 writes this process's standard error to, as it was at the first call: to be made before the
 * process writes anything. Nobody but pm2 says so; our coordinator reads it itself.
 */
export function ownStderrFile(
  { forensics }: ResolvedConfig,
  { manager, slot }: WorkerIdentity,
): StderrFile | undefined {
  if (isTaken) return file;
  isTaken = true;
  if (forensics.lastWords && manager === 'pm2' && isMainThread)
    file = stderrFile(process.env.pm_err_log_path, { slot, needsRedaction: forensics.redactLastWords !== undefined });
  return file;
}
