import { processExists } from '../process/run-directory.js';
import { print } from './arguments.js';
import { findCoordinator } from './find-coordinator.js';

const POLL_MS = 20;

/** Returns when the coordinator's process is gone, however long its workers take within their deadline. */
export async function stopCluster(options: { pid?: number; json?: boolean }): Promise<void> {
  const coordinator = findCoordinator(options);
  await coordinator.ask('stop');
  coordinator.close();
  while (processExists(coordinator.pid)) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  print({ pid: coordinator.pid, stopped: true }, 'stopped', options);
}
