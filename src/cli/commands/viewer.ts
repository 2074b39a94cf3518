import type { Command } from 'commander';
import { gigabytes, jsonOption, portNumber } from '../arguments.js';

export function viewer(program: Command): void {
  program
    .command('viewer')
    .description('Receive OTLP and show it on a page, without a cluster.')
    .option('--http-port <n>', 'page and OTLP over HTTP; if it is taken, the next free one (default: 4318)', portNumber)
    .option('--grpc-port <n>', 'OTLP over gRPC; if it is taken, the next free one (default: 4317)', portNumber)
    .option('--text', 'also print each trace as a tree; the space bar pauses')
    .option('--filter <conditions>', 'print only these traces, as in "status>=500 route:/checkout"')
    .option(
      '--file <path>',
      'keep traces for days, and across restarts, in this file (before Node.js 22.13: as many as memory holds)',
    )
    .option(
      '--file-max <gigabytes>',
      'size of the file from which the oldest traces are deleted (default: 16)',
      gigabytes,
    )
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
