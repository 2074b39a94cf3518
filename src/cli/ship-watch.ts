import { resolve } from 'node:path';
import { resolveConfig } from '../config/index.js';
import { pm2ShutdownTimeoutMs, startedByPm2 } from '../pm2/environment.js';
import { announce } from '../process/announce.js';
import { describeDestination } from '../process/destination.js';
import { setProgram } from '../process/program.js';
import { startInlineShipper } from '../shipper/inline.js';
import { shipperConfigOf } from '../shipper/start.js';

/**
 * Ships the journal that this environment's configuration names, as long as this process lives: an entry of a
 * process manager of its own. After SIGINT or SIGTERM it goes on until the writers that still drain have
 * ended, or the deadline comes.
 */
export async function shipWatch({ json }: { json?: boolean }, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  // The service is that of the directory, not this command's own package.
  setProgram(resolve('package.json'));
  // As for an app in production: nobody looks at a viewer here.
  const config = resolveConfig({}, { NODE_ENV: 'production', ...env });
  const { dir } = config.journal;
  const destination = describeDestination(config);
  if (json) process.stdout.write(`${JSON.stringify({ pid: process.pid, dir, destination })}\n`);
  else announce(`shipping ${dir}; ${destination}`);
  const shipper = await startInlineShipper(shipperConfigOf(config), config.forensics.redactLastWords);
  if (process.connected) process.send?.('ready');
  // An idle shipper holds no process open.
  const open = setInterval(() => {}, 2 ** 30);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  const { shutdownTimeoutMs } = config.supervise;
  const deadlineMs = startedByPm2(env) ? Math.min(shutdownTimeoutMs, pm2ShutdownTimeoutMs(env)) : shutdownTimeoutMs;
  await shipper.stop(deadlineMs, true);
  clearInterval(open);
  // pm2's channel would hold the process open.
  process.exit();
}
