import { type Command, InvalidArgumentError } from 'commander';
import type { ControlCommands } from '../../coordinator/control-protocol.js';
import { jsonOption, pidOption, print } from '../arguments.js';

export function scale(program: Command): void {
  program
    .command('scale')
    .description('Change the number of workers; returns when they are ready.')
    .argument('<workers>', 'how many from now on; +n for n more, -n for n fewer', workers)
    .option(...pidOption)
    .option(...jsonOption)
    // -1 is a number here, not an option.
    .allowUnknownOption()
    .addHelpText('after', '\nExample:\n  $ forktrace scale 8\n  $ forktrace scale +1')
    .action(async (wanted: ControlCommands['scale']['body'], options) => {
      const { findCoordinator } = await import('../find-coordinator.js');
      const coordinator = findCoordinator(options);
      try {
        const result = await coordinator.ask('scale', wanted);
        print(result, `${result.workers} workers are ready`, options);
      } finally {
        coordinator.close();
      }
    });
}

function workers(text: string): ControlCommands['scale']['body'] {
  if (/^[+-]\d{1,4}$/.test(text)) return { by: Number(text) };
  if (/^\d{1,4}$/.test(text)) return { workers: Number(text) };
  throw new InvalidArgumentError('Expected a whole number, +n or -n.');
}
