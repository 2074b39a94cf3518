import type { Command } from 'commander';
import { jsonOption, pidOption, print } from '../arguments.js';

export function reload(program: Command): void {
  program
    .command('reload')
    .description('Replace every worker: the new one is ready before the old one drains, one slot at a time.')
    .option(...pidOption)
    .option('--wait', 'return when all are replaced, and fail if the reload is aborted (the default)')
    .option('--no-wait', 'return at once')
    .option(...jsonOption)
    .addHelpText('after', '\nExample:\n  $ forktrace reload && echo "the new code serves"')
    .action(async ({ wait = true, ...options }) => {
      const { findCoordinator } = await import('../find-coordinator.js');
      const coordinator = findCoordinator(options);
      try {
        if (!wait) {
          // Not by SIGHUP: that may be turned off, or mean that a terminal has gone away.
          await coordinator.ask('reload', { wait: false });
          print({ pid: coordinator.pid }, 'reload asked for', options);
          return;
        }
        const result = await coordinator.ask('reload');
        print(result, `reloaded ${result.slots.length} workers`, options);
      } finally {
        coordinator.close();
      }
    });
}
