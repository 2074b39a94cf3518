import { findCoordinator } from './find-coordinator.js';
import { statusTable } from './status-table.js';

const REFRESH_MS = 1000;

export async function status(options: { pid?: number; json?: boolean; once?: boolean }): Promise<void> {
  const coordinator = await findCoordinator(options);
  try {
    if (options.json) {
      process.stdout.write(`${JSON.stringify(await coordinator.ask('status'))}\n`);
      return;
    }
    const live = process.stdout.isTTY === true && options.once !== true;
    for (;;) {
      const table = statusTable(await coordinator.ask('status'));
      // Home, the table, then clear what an earlier, longer one left below it.
      process.stdout.write(live ? `\x1b[H\x1b[2J${table}\n` : `${table}\n`);
      if (!live) return;
      await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
    }
  } finally {
    coordinator.close();
  }
}
