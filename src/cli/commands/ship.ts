import { type Command, Option } from 'commander';
import { jsonOption, wholeNumber } from '../arguments.js';

export function ship(program: Command): void {
  program
    .command('ship')
    .description('Ship the journal that a dead machine, container or service has left.')
    .argument('[dir]', "a service's journal directory, or the directory that holds several")
    .option('--watch', 'keep shipping the journal that the environment configures, until SIGTERM')
    .addOption(new Option('--to <destination>', 'by which protocol').choices(['otlp-grpc', 'otlp-http', 'console']))
    .option(
      '--url <url>',
      'to which endpoint (default: the OTEL_EXPORTER_OTLP_* variables, else http://localhost:4317)',
    )
    .option('--timeout <seconds>', 'when to give up', wholeNumber, 60)
    .option(
      jsonOption[0],
      'one JSON document: what became of each journal; with --watch, which one it is and where it goes',
    )
    .addHelpText(
      'after',
      `
Example:
  $ forktrace ship /mnt/old-node/tmp/forktrace-1000 --url http://collector:4317
  $ OTEL_SERVICE_NAME=shop forktrace ship --watch          an entry of pm2 or systemd of its own

Requests that were in flight when their worker died are shipped as interrupted spans. What has been shipped is deleted.`,
    )
    .action(async (dir, options) => {
      if (options.watch && (dir ?? options.to ?? options.url) !== undefined) {
        return program.error(
          'error: --watch takes journal and destination from the environment, no dir, --to or --url',
        );
      }
      if (options.watch) return (await import('../ship-watch.js')).shipWatch(options);
      if (dir === undefined) return program.error("error: missing required argument 'dir' (or --watch)");
      return (await import('../ship.js')).ship(dir, options);
    });
}
