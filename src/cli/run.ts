import type { TracingConfig } from '../config/types.js';
import { startClusterWithTracing } from '../coordinator/start-cluster.js';

/** Workers are forked with the same arguments, so that the same call serves in them. */
export async function runApp(
  app: string,
  { workers, port, service }: { workers?: number; port?: number; service?: string },
): Promise<void> {
  const config: TracingConfig = {};
  if (workers !== undefined) config.workers = workers;
  if (port !== undefined) config.listen = port;
  if (service !== undefined) config.serviceName = service;
  await startClusterWithTracing(app, config);
}
