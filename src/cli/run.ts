import cluster from 'node:cluster';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TracingConfig } from '../config/types.js';
import { startClusterWithTracing } from '../coordinator/start-cluster.js';
import { appDirectory, installedInstrumentations } from '../instrumentation/installed.js';
import { setProgram } from '../process/program.js';

/** Workers are forked with the same arguments, so that the same call serves in them. */
export async function runApp(
  app: string,
  args: readonly string[],
  { workers, port, service, json }: { workers?: number; port?: number; service?: string; json?: boolean },
): Promise<void> {
  const program = app.startsWith('file:') ? fileURLToPath(app) : resolve(app);
  setProgram(program);
  // The app sees what it sees when `node` runs it. The coordinator forks by its own arguments.
  if (cluster.isWorker) process.argv = [process.argv[0]!, program, ...args];
  const config: TracingConfig = {};
  // As with the preload. An app that has none installed is not told that it has none.
  if (!process.env.FORKTRACE_INSTRUMENTATIONS && installedInstrumentations(appDirectory()).length > 0) {
    config.instrumentations = 'auto';
  }
  if (workers !== undefined) config.workers = workers;
  if (port !== undefined) {
    config.listen = port;
    // For an app that listens itself.
    process.env.PORT = String(port);
  }
  if (service !== undefined) config.serviceName = service;
  const handle = await startClusterWithTracing(app, config);
  if (json && handle.role === 'coordinator') process.stdout.write(`${JSON.stringify(handle.stats())}\n`);
}
