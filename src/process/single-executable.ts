/**
 * Whether the program of this process is a single executable application (`node:sea`): it runs its app
 * whatever file it is told to run, so none of ours can be started with it.
 */
export function isSingleExecutable(): boolean {
  return process.getBuiltinModule('node:sea')?.isSea() === true;
}
