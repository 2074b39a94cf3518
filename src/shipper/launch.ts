/**
 * Starts a shipper that is nobody's child, and ends: a process manager that ends a worker with all its
 * descendants, as pm2 does by default, would take the shipper along just when the worker's last spans are to
 * be shipped.
 *
 * @module
 */

import { fork } from 'node:child_process';
import { ownFile } from '../own-files.js';
import { shipperArguments } from './node-arguments.js';
import { parseFromShipper } from './shipper-messages.js';

/** Less than its starter waits for both. */
const BOOTS_WITHIN_MS = 25_000;

process.title = 'forktrace launcher';
const shipper = fork(ownFile('shipper/main.js'), [], {
  detached: true,
  execArgv: shipperArguments(),
  // It reads its configuration from the same standard input, and prints where its starter lets it.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
// Node may wait for ever as it boots, where the system lets it have no more threads.
setTimeout(() => shipper.kill('SIGKILL'), BOOTS_WITHIN_MS);
shipper.on('error', () => process.exit(1));
shipper.on('exit', (code) => process.exit(code ?? 1));
shipper.on('message', (message) => {
  const answer = parseFromShipper(message);
  if (!answer) return;
  shipper.disconnect();
  if (!process.connected) process.exit();
  process.send?.(answer, undefined, undefined, () => process.exit());
});
