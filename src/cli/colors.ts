import picocolors from 'picocolors';

/**
 * Colours for what is written to stdout: none when it is not a terminal or NO_COLOR is set. picocolors' own
 * default also colours a file or a pipe where the variable CI is set.
 */
export const colors = picocolors.createColors(process.stdout.isTTY === true && !process.env.NO_COLOR);
