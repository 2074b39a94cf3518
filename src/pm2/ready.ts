import type { WorkerIdentity } from '../config/types.js';

/** What pm2's `wait_ready` waits for. */
export function tellPm2({ manager }: WorkerIdentity): void {
  if (manager === 'pm2' && process.connected) process.send?.('ready');
}
