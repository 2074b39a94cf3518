import type { Command } from 'commander';
import { jsonOption, pidOption } from '../arguments.js';

export function stop(program: Command): void {
  program
    .command('stop')
    .description('Drain, flush and end a cluster; returns when it is gone.')
    .option(...pidOption)
    .option(...jsonOption)
    .addHelpText('after', '\nExample:\n  $ forktrace stop')
    .action(async (options) => (await import('../stop-cluster.js')).stopCluster(options));
}
