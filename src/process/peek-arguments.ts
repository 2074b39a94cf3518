/**
 * Arguments that every worker is started with. SIGUSR1 can then open the worker's inspector on a free port,
 * and the inspector tells its address only on the worker's standard error.
 */
export const PEEK_ARGUMENTS: readonly string[] = ['--inspect-publish-uid=stderr', '--inspect-port=0'];
