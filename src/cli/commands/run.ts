import type { Command } from 'commander';
import { wholeNumber } from '../arguments.js';

export function run(program: Command): void {
  program
    .command('run')
    .description('Run an app as a cluster with tracing.')
    .argument('<app>', 'a module whose default export is an app, or a function (worker) => app')
    .option('-w, --workers <n>', 'number of workers (default: WEB_CONCURRENCY, else one per processor)', wholeNumber)
    .option('-p, --port <n>', 'port (default: PORT, else 3000)', wholeNumber)
    .option('-s, --service <name>', 'service.name (default: OTEL_SERVICE_NAME, else the name in package.json)')
    .addHelpText(
      'after',
      `
The app is a request listener, an http, https or http2 server, an Express or Koa app, a Fastify instance, a Hono app or
{ fetch }; the function may be async.

Example:
  // app.js
  export default async (worker) => (request, response) => response.end(\`served by slot \${worker.slot}\`);

  $ forktrace run app.js -w 4

SIGTERM and Ctrl-C drain and stop, a second one a second later ends at once; SIGHUP reloads; SIGTTIN and SIGTTOU are one
worker more and one fewer.`,
    )
    .action(async (app: string, options: { workers?: number; port?: number; service?: string }) => {
      const { runApp } = await import('../run.js');
      await runApp(app, options);
    });
}
