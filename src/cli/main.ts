#!/usr/bin/env node
/**
 * The `forktrace` command.
 *
 * @module
 */
import cluster from 'node:cluster';
import { Command, InvalidArgumentError, Option } from 'commander';
import { describeFailedStart, exitCodeOf } from '../process/failed-start.js';
import { version } from '../version.js';

const program = new Command('forktrace')
  .description('Run, watch and control Node.js clusters whose traces survive kill -9.')
  .version(version)
  .showHelpAfterError('(forktrace --help explains)')
  .addHelpText(
    'after',
    `
Examples:
  $ forktrace run app.js -w 4        fork 4 workers that serve what app.js default-exports
  $ forktrace status                 who serves, how much, and what has been shipped; live in a terminal
  $ forktrace reload                 replace every worker, one at a time, with no request refused
  $ forktrace scale 8                8 workers from now on
  $ forktrace stop                   drain, flush and end the cluster
  $ forktrace ship <dir>             ship what a dead machine has left in its journal
  $ forktrace inspect <dir>          show what is in a journal
  $ forktrace viewer                 receive and show traces of anything that speaks OTLP

With several clusters on this machine, name one by --pid. docs/cli.md has the rest.`,
  );

program
  .command('run')
  .description('Run an app as a cluster with tracing.')
  .argument('<app>', 'a module whose default export is a factory: (worker) => app')
  .option('-w, --workers <n>', 'number of workers (default: WEB_CONCURRENCY, else one per processor)', wholeNumber)
  .option('-p, --port <n>', 'port (default: PORT, else 3000)', wholeNumber)
  .option('-s, --service <name>', 'service.name (default: OTEL_SERVICE_NAME, else the name in package.json)')
  .addHelpText(
    'after',
    `
The app is a request listener, an http, https or http2 server, an Express or Koa app, a Fastify instance, a Hono app or
{ fetch }; the factory may be async:

  // app.js
  export default async (worker) => (request, response) => response.end(\`served by slot \${worker.slot}\`);

SIGTERM and Ctrl-C drain and stop, a second one forces; SIGHUP reloads.`,
  )
  .action(async (app: string, options: { workers?: number; port?: number; service?: string }) => {
    const { runApp } = await import('./run.js');
    await runApp(app, options);
  });

const pidOption = ['--pid <pid>', 'the coordinator, when several clusters run', wholeNumber] as const;

program
  .command('status')
  .description('Show the workers of a running cluster: live in a terminal, once elsewhere.')
  .option(...pidOption)
  .option('--json', 'one JSON document with every number')
  .option('--once', 'print once and exit, in a terminal too')
  .action(async (options) => (await import('./status.js')).status(options));

program
  .command('reload')
  .description('Replace every worker: the new one is ready before the old one drains, one slot at a time.')
  .option(...pidOption)
  .action(async (options) => (await import('./control.js')).reload(options));

program
  .command('scale')
  .description('Change the number of workers.')
  .argument('<workers>', 'how many from now on', wholeNumber)
  .option(...pidOption)
  .action(async (workers, options) => (await import('./control.js')).scale(workers, options));

program
  .command('stop')
  .description('Drain, flush and end a cluster; returns when it is gone.')
  .option(...pidOption)
  .action(async (options) => (await import('./control.js')).stop(options));

program
  .command('ship')
  .description('Ship the journal that a dead machine, container or service has left.')
  .argument('[dir]', "a service's journal directory, or the directory that holds several")
  .option('--watch', 'go on shipping the journal that the environment configures, until SIGTERM')
  .addOption(new Option('--to <destination>', 'how').choices(['otlp-grpc', 'otlp-http', 'console']))
  .option('--url <url>', 'where to (default: the OTEL_EXPORTER_OTLP_* variables, else http://localhost:4317)')
  .option('--timeout <seconds>', 'give up after', wholeNumber, 60)
  .addHelpText(
    'after',
    `
Example:
  $ forktrace ship /mnt/old-node/tmp/forktrace-1000 --url http://collector:4317
  $ OTEL_SERVICE_NAME=shop forktrace ship --watch          an entry of pm2 or systemd of its own

Requests that were in flight when their worker died are shipped as interrupted spans. What has been shipped is deleted.`,
  )
  .action(async (dir, options) => {
    if (options.watch) return (await import('./ship-watch.js')).shipWatch();
    if (dir === undefined) return program.error("error: missing required argument 'dir' (or --watch)");
    return (await import('./ship.js')).ship(dir, options);
  });

program
  .command('inspect')
  .description('Show the spans that a journal, or one file of it, holds; nothing is changed.')
  .argument('<path>', "a service's journal directory, or a segment or in-flight file")
  .option('--json', 'a JSON object per line')
  .action(async (path, options) => {
    const { inspectAsJson, inspectAsTree } = await import('./inspect.js');
    for (const line of options.json ? inspectAsJson(path) : inspectAsTree(path)) {
      process.stdout.write(line.endsWith('\n') ? line : `${line}\n`);
    }
  });

program
  .command('viewer')
  .description('Receive OTLP and show it on a page, without a cluster.')
  .option('--http-port <n>', 'page and OTLP over HTTP; moved on when taken (default: 4318)', wholeNumber)
  .option('--grpc-port <n>', 'OTLP over gRPC; moved on when taken (default: 4317)', wholeNumber)
  .option('--text', 'print each trace as a tree, too')
  .option('--file <path>', 'keep traces over a restart')
  .option('--host <address>', 'interface; anything but loopback needs FORKTRACE_VIEWER_TOKEN')
  .action(async (options) => (await import('./viewer.js')).viewer(options));

try {
  await program.parseAsync();
} catch (error) {
  const { code } = error as NodeJS.ErrnoException;
  // Without a code it is a mistake of ours, or of the app, and a worker's coordinator has been told: see endIfUncaught.
  if (!code?.startsWith('FORKTRACE_')) throw error;
  if (!cluster.isWorker) process.stderr.write(describeFailedStart(error as Error));
  // Its coordinator has been told, and prints it. A worker is kept running by its channel.
  else process.exit(1);
  process.exitCode ||= exitCodeOf(error as Error);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}
