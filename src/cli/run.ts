import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TracingConfig } from '../config/types.js';
import { startClusterWithTracing } from '../coordinator/start-cluster.js';
import { setProgram } from '../process/program.js';

/** Workers are forked with the same arguments, so that the same call serves in them. */
export async function runApp(
  app: string,
  { workers, port, service, json }: { workers?: number; port?: number; service?: string; json?: boolean },
): Promise<void> {
  setProgram(app.startsWith('file:') ? fileURLToPath(app) : resolve(app));
  const config: TracingConfig = {};
  if (workers !== undefined) config.workers = workers;
  if (port !== undefined) config.listen = port;
  if (service !== undefined) config.serviceName = service;
  const cluster = await startClusterWithTracing(app, config);
  if (json && cluster.role === 'coordinator') process.stdout.write(`${JSON.stringify(cluster.stats())}\n`);
}
