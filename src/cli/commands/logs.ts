import type { Command } from 'commander';
import { wholeNumber } from '../arguments.js';

export function logs(program: Command): void {
  program
    .command('logs')
    .description('Show log records of all processes, the dead included, from the viewer and from journals.')
    .argument('[path]', "a service's journal directory, or one that holds several (default: the viewer's records)")
    .option('--slot <n>', 'only of the worker in this slot', wholeNumber)
    .option('--trace <id>', 'only of this trace')
    .option('--level <name>', 'this level or above: trace, debug, info, warn, error, fatal')
    .option('--filter <conditions>', 'as on the page Logs of the viewer: "level>=warn order:17 -service:mail"')
    .option('-n, --lines <n>', 'at most this many records, the newest', wholeNumber, 200)
    .option('-f, --follow', 'then print what is logged from now on')
    .option('--viewer <url>', "the viewer's page", 'http://127.0.0.1:4318')
    .option('--json', 'a JSON object per line')
    .addHelpText(
      'after',
      '\nExamples:\n  $ forktrace logs --level warn --follow\n  $ forktrace logs --slot 3 --trace 4bf92f3577b34da6a3ce929d0e0e4736',
    )
    .action(async (path: string | undefined, options) => (await import('../logs.js')).logs(path, options));
}
