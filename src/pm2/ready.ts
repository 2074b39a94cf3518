import type { WorkerIdentity } from '../config/types.js';

/** Sends `ready` to pm2, for an app with `wait_ready`. */
export function tellPm2({ manager }: WorkerIdentity): void {
  if (manager === 'pm2' && process.connected) process.send?.('ready');
}
