#!/usr/bin/env node
/**
 * The `forktrace` command.
 *
 * @module
 */
import cluster from 'node:cluster';
import { Command } from 'commander';
import { version } from '../own-files.js';
import { describeFailedStart, exitCodeOf } from '../process/failed-start.js';
import { commands } from './command-list.js';

const program = new Command('forktrace')
  .description('Run, watch and control Node.js clusters whose traces survive kill -9.')
  .version(version)
  .showHelpAfterError('(forktrace --help explains)')
  .addHelpText(
    'after',
    `
Examples:
  $ forktrace run app.js -w 4        fork 4 workers that serve what app.js default-exports
  $ forktrace ls                     what runs
  $ forktrace status                 who serves, how much, and what has been shipped; live in a terminal
  $ forktrace reload                 replace every worker, one at a time, with no request refused
  $ forktrace scale +1               one worker more
  $ forktrace stop                   drain, flush and end the cluster
  $ forktrace ship <dir>             ship what a dead machine has left in its journal
  $ forktrace inspect <dir>          show what is in a journal
  $ forktrace viewer                 receive and show traces of anything that speaks OTLP

With several clusters on this machine, name one by --pid. docs/cli.md has the rest.`,
  );
for (const add of commands) add(program);

let isJson = false;
program.hook('preAction', (_, command) => {
  isJson = command.opts().json === true;
});

try {
  await program.parseAsync();
} catch (error) {
  const { code, syscall } = error as NodeJS.ErrnoException;
  // A file that was named and cannot be had, say, has a system call. Without either it is a mistake of ours,
  // or of the app, and a worker's coordinator has been told: see endIfUncaught.
  if (!code?.startsWith('FORKTRACE_') && syscall === undefined) throw error;
  // Its coordinator has been told, and prints it. A worker is kept running by its channel.
  if (cluster.isWorker) process.exit(1);
  // Warnings are written on a later tick, and what follows may say that they are above.
  await new Promise((resolve) => setImmediate(resolve));
  process.stderr.write(describeFailedStart(error as Error));
  if (isJson) process.stdout.write(`${JSON.stringify({ error: { code, message: (error as Error).message } })}\n`);
  process.exitCode ||= exitCodeOf(error as Error);
}
