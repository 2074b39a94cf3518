/**
 * The program that runs: what the service is called after, and where what it has installed is found from.
 *
 * @module
 */

/** Of the process: bundles may hold this module more than once. */
const KEY = Symbol.for('forktrace.program');

type Global = { [KEY]?: string };

/** `process.argv[1]`; under the `forktrace` command, the app that it runs. */
export function programPath(): string | undefined {
  return (globalThis as Global)[KEY] ?? process.argv[1];
}

/** For a command that runs somebody else's program in its own process. */
export function setProgram(path: string): void {
  (globalThis as Global)[KEY] = path;
}
