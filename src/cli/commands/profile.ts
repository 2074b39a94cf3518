import type { Command } from 'commander';
import { jsonOption, pidOption, wholeNumber } from '../arguments.js';

export function profile(program: Command): void {
  program
    .command('profile')
    .description('Record a CPU profile of workers: a .cpuprofile file, and a flame graph here. No restart, no flag.')
    .argument('[slot|pid]', 'one worker, or any Node.js process of this user; else all workers', wholeNumber)
    .option('--seconds <n>', 'how long', wholeNumber, 5)
    .option('--out <file>', 'the file to write, for Chrome DevTools and VS Code')
    .option('--html', 'also write the flame graph as a page, beside the file')
    .option(...pidOption)
    .option(...jsonOption)
    .addHelpText(
      'after',
      '\nExamples:\n  $ forktrace profile\n  $ forktrace profile 2 --seconds 10 --out slow.cpuprofile --html',
    )
    .action(async (target: number | undefined, options) => {
      const { profile } = await import('../profile.js');
      await profile(target, options);
    });
}
