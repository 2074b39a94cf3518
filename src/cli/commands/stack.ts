import type { Command } from 'commander';
import { jsonOption, pidOption, wholeNumber } from '../arguments.js';

export function stack(program: Command): void {
  program
    .command('stack')
    .description('Show what each worker runs now, and for which request, also while its event loop is blocked.')
    .argument('[slot|pid]', 'one worker, or any Node.js process of this user', wholeNumber)
    .option(...pidOption)
    .option(...jsonOption)
    .addHelpText('after', '\nExamples:\n  $ forktrace stack\n  $ forktrace stack 2\n  $ forktrace stack 4711')
    .action(async (target: number | undefined, options) => {
      const { printStacks } = await import('../stack.js');
      await printStacks(target, options);
    });
}
