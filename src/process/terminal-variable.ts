/**
 * Tells a worker that the coordinator reads its standard error, and what that was: a terminal's size as
 * `80x24`, or `no`.
 */
export const TERMINAL_VARIABLE = 'FORKTRACE_STDERR';
