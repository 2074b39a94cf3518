/**
 * The program that runs. The service's default name comes from it, and installed packages are looked for from
 * it.
 *
 * @module
 */

/** One value per process: several bundles may hold this module. */
const KEY = Symbol.for('forktrace.program');

type Global = { [KEY]?: string };

/** `process.argv[1]`; under the `forktrace` command, the app that it runs. */
export function programPath(): string | undefined {
  return (globalThis as Global)[KEY] ?? process.argv[1];
}

/** Sets the program, for a command that runs another program in its own process. */
export function setProgram(path: string): void {
  (globalThis as Global)[KEY] = path;
}
