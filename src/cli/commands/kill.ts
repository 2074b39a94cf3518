import type { Command } from 'commander';
import { jsonOption, pidOption, print, wholeNumber } from '../arguments.js';

export function kill(program: Command): void {
  program
    .command('kill')
    .description('Kill the worker of a slot with SIGKILL, for instance when it is stuck; it is respawned.')
    .argument('<slot>', 'the slot', wholeNumber)
    .option(...pidOption)
    .option(...jsonOption)
    .addHelpText(
      'after',
      '\nIts ended spans are delivered, and the requests that it was serving show up as interrupted spans.\n\nExample:\n  $ forktrace kill 2',
    )
    .action(async (slot: number, options) => {
      const { findCoordinator } = await import('../find-coordinator.js');
      const coordinator = findCoordinator(options);
      try {
        const result = await coordinator.ask('kill', { slot });
        print(result, `killed pid ${result.pid} in slot ${slot}`, options);
      } finally {
        coordinator.close();
      }
    });
}
