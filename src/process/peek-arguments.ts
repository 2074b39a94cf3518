/**
 * What a worker is started with so that its inspector, once SIGUSR1 opens it, is on a free port, and its
 * address is told to whoever reads the worker's standard error alone.
 */
export const PEEK_ARGUMENTS: readonly string[] = ['--inspect-publish-uid=stderr', '--inspect-port=0'];
