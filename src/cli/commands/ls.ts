import type { Command } from 'commander';
import { jsonOption } from '../arguments.js';

export function ls(program: Command): void {
  program
    .command('ls')
    .description("List what forktrace traces for this user: clusters, pm2's workers, other processes.")
    .option(...jsonOption)
    .addHelpText('after', '\nExample:\n  $ forktrace ls')
    .action(async (options) => (await import('../list.js')).list(options));
}
