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
import { parseFromShipper, type ShipperConfig } from './shipper-messages.js';

/** Less than its starter waits for both. */
const BOOTS_WITHIN_MS = 25_000;

process.title = 'forktrace launcher';
process.umask(0o077);
const shipper = fork(ownFile('shipper/main.js'), [], {
  detached: true,
  execArgv: shipperArguments(),
  // It reads its configuration from the same standard input, and prints where its starter lets it.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
// Node may wait for ever as it boots, where the system lets it have no more threads.
setTimeout(() => shipper.kill('SIGKILL'), BOOTS_WITHIN_MS);
shipper.on('error', (error) => void failed(error.message, 1));
shipper.on('exit', (code, signal) => {
  if (code === 0) process.exit();
  void failed(`it ended with ${signal ?? code}`, code ?? 1);
});
shipper.on('message', (message) => {
  const answer = parseFromShipper(message);
  // It is told once, however much comes at a time.
  if (!answer || !shipper.connected) return;
  shipper.disconnect();
  if (!process.connected) process.exit();
  process.send?.(answer, undefined, undefined, () => process.exit());
});

/**
 * A starter that lives starts another one; a tool that has ended by now has nobody else to say what it
 * leaves, and the next one says it.
 */
async function failed(why: string, code: number): Promise<void> {
  if (!process.connected) {
    // Not read by one that has never booted.
    const text: string = await new Promise((resolve) => {
      process.stdin
        .setEncoding('utf8')
        .once('data', resolve)
        .once('end', () => resolve(''));
    });
    try {
      const { dir }: ShipperConfig = JSON.parse(text);
      const { keepUnheard } = await import('./unheard.js');
      process.on('warning', (warning) => keepUnheard(dir, warning));
      (await import('./say-left.js')).sayLeft(dir, `no shipper could be started (${why})`);
    } catch {
      // One that has read it has said itself what is wrong.
    }
  }
  process.exit(code);
}
