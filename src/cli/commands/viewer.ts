import type { Command } from 'commander';
import { gigabytes, jsonOption, portNumber } from '../arguments.js';

export function viewer(program: Command): void {
  program
    .command('viewer')
    .description('Receive OTLP and show it on a page, without a cluster.')
    .option('--http-port <n>', 'page and OTLP over HTTP; moved on when taken (default: 4318)', portNumber)
    .option('--grpc-port <n>', 'OTLP over gRPC; moved on when taken (default: 4317)', portNumber)
    .option('--text', 'print each trace as a tree, too; space holds it still')
    .option('--filter <conditions>', 'print only these traces, as in "status>=500 route:/checkout"')
    .option(
      '--file <path>',
      'keep traces of days in this file, and over a restart (before Node.js 22.13: what memory holds)',
    )
    .option('--file-max <gigabytes>', 'size of the file beyond which the oldest go (default: 16)', gigabytes)
    .option('--prefix <path>', 'path under which a reverse proxy serves it, as in /traces-of-shop')
    .option('--host <address>', 'interface; anything but loopback needs FORKTRACE_VIEWER_TOKEN')
    .option(
      jsonOption[0],
      'its addresses as one JSON document; with --text or --filter each trace as OTLP/JSON on a line',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ forktrace viewer --text\n  $ forktrace viewer --json --filter "status>=500" | jq .resourceSpans',
    )
    .action(async (options) => (await import('../viewer.js')).viewer(options));
}
