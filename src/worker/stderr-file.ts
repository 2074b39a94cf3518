import { isMainThread } from 'node:worker_threads';
import type { ResolvedConfig } from '../config/resolved.js';
import type { WorkerIdentity } from '../config/types.js';
import { type StderrFile, stderrFile } from '../forensics/stderr-file.js';

let file: StderrFile | undefined;
let isTaken = false;

/**
 * The file to which pm2 writes this process's standard error, with its state at the first call. Call it
 * before the process writes anything. Other managers do not tell the file, and our coordinator reads the
 * stream itself.
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
