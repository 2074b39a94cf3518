import { processExists } from '../coordinator/run-directory.js';
import { findCoordinator } from './find-coordinator.js';

const OWN_EXIT_MS = 5000;

export async function reload(options: { pid?: number }): Promise<void> {
  const coordinator = await findCoordinator(options);
  try {
    const slots = await coordinator.ask('reload');
    process.stdout.write(`reloaded ${slots.length} workers\n`);
  } finally {
    coordinator.close();
  }
}

export async function scale(workers: number, options: { pid?: number }): Promise<void> {
  const coordinator = await findCoordinator(options);
  try {
    await coordinator.ask('scale', workers);
    process.stdout.write(`${workers} workers are ready\n`);
  } finally {
    coordinator.close();
  }
}

export async function stop(options: { pid?: number }): Promise<void> {
  const coordinator = await findCoordinator(options);
  await coordinator.ask('stop');
  await coordinator.closed;
  // It hangs up when all is done but its own exit.
  const end = performance.now() + OWN_EXIT_MS;
  while (processExists(coordinator.pid) && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  process.stdout.write('stopped\n');
}
