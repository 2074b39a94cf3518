import type { Command } from 'commander';
import { pidOption } from '../arguments.js';

export function status(program: Command): void {
  program
    .command('status')
    .description('Show the workers of a running cluster: live in a terminal, once elsewhere.')
    .option(...pidOption)
    .option('--json', 'one JSON document with every number')
    .option('--once', 'print once and exit, in a terminal too')
    .addHelpText(
      'after',
      `
Keys: q ends · arrows, j and k, PgUp and PgDn scroll · sort by s slot, r requests, e errors, l latency, c CPU, m memory,
x restarts.

Example:
  $ forktrace status
  $ forktrace status --json | jq '.workers[] | select(.state == "blocked")'`,
    )
    .action(async (options) => (await import('../status.js')).status(options));
}
