import type { Command } from 'commander';
import { jsonOption, portNumber, wholeNumber } from '../arguments.js';

interface Options {
  trace?: boolean;
  workers?: number;
  port?: number;
  service?: string;
  json?: boolean;
}

export function run(program: Command): void {
  // What follows the program is then the program's.
  const isTraced = process.argv[3] === '--trace';
  program
    .enablePositionalOptions(isTraced)
    .command('run')
    .passThroughOptions(isTraced)
    .description('Run an app as a cluster with tracing.')
    .argument(
      '<app>',
      'a module whose default export is an app or a function (worker) => app, or one that calls listen itself',
    )
    .argument('[args...]', "the app's own arguments; its options after --, or with --trace after the program")
    .option('--trace', 'must come first: run any program, such as a tool, as one process, with a span around its life')
    .option('-w, --workers <n>', 'number of workers (default: WEB_CONCURRENCY, else one per processor)', wholeNumber)
    .option('-p, --port <n>', 'port (default: PORT, else 3000); an app that calls listen gets it as PORT', portNumber)
    .option('-s, --service <name>', 'service.name (default: OTEL_SERVICE_NAME, else the name in package.json)')
    .option(jsonOption[0], 'once all workers are ready, what `forktrace status --json` prints')
    .addHelpText(
      'after',
      `
The app is a request listener, an http, https or http2 server, an Express or Koa app, a Fastify instance, a Hono app or
{ fetch }; the function may be async. A module that calls listen itself keeps its address. The app's process.argv is that of
\`node app.js [args...]\`.

Example:
  // app.js
  export default async (worker) => (request, response) => response.end(\`served by slot \${worker.slot}\`);

  $ forktrace run app.js -w 4
  $ forktrace run .output/server/index.mjs -w 4 -p 3000
  $ forktrace run server.js -w 2 -- --config prod.json
  $ forktrace run --trace tool.js --its-own options

Options of Node.js: in NODE_OPTIONS, or before the path of the command; processes that serve the app get both.
  $ NODE_OPTIONS=--max-old-space-size=4096 forktrace run app.js
  $ node --enable-source-maps node_modules/forktrace/dist/cli/main.js run app.js

SIGTERM and Ctrl-C drain and stop, a second one a second later ends at once; SIGHUP reloads; SIGTTIN and SIGTTOU are one
worker more and one fewer.`,
    )
    .action(async (app: string, args: string[], options: Options) => {
      if (options.trace) {
        const { runTraced } = await import('../run-traced.js');
        runTraced(app, args, options.service);
        return;
      }
      const { runApp } = await import('../run.js');
      await runApp(app, args, options);
    });
}
