/**
 * Where the coordinators and traced processes of this user are entered. In a file of its own, because a
 * process that only forks looks there, and loads nothing else.
 *
 * @module
 */
import { join } from 'node:path';
import { privateParent } from './private-directory.js';

/**
 * `FORKTRACE_RUN_DIR`, else `run` in this user's directory in the temp directory. The path is short, because
 * the path of a socket must be.
 */
export function runDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return env.FORKTRACE_RUN_DIR ?? join(privateParent(env).dir, 'run');
}

/** The file of a traced process that has no coordinator. */
export function processFile(pid: number, directory = runDirectory()): string {
  return join(directory, `${pid}.process.json`);
}
