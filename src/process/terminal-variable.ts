/**
 * These variables tell a worker which of its standard streams the coordinator reads, and what each stream was
 * before: a terminal's size as `80x24`, or `no`.
 */
export const TERMINAL_VARIABLES = { stdout: 'FORKTRACE_STDOUT', stderr: 'FORKTRACE_STDERR' } as const;

export type StandardStream = keyof typeof TERMINAL_VARIABLES;
