/**
 * The shipper process: forked by {@link ShipperKeeper}, which writes its configuration to its standard input.
 * It outlives whoever started it, and exits when no writer lives and nothing is left to ship.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { openDirectory } from '../journal/journal-directory.js';
import { warn } from '../warn.js';
import { hearWords } from './destination-word.js';
import { watchExport } from './fresh-export.js';
import { ShipperLock } from './lock.js';
import { releaseStderr } from './release-stderr.js';
import { Shipper } from './shipper.js';
import { type FromShipper, parseToShipper, type ShipperConfig } from './shipper-messages.js';

const STATS_MS = 1000;
/** With nobody left to ship for, in milliseconds. */
const LINGER_MS = 3000;
/** With no writer alive and nothing getting through: the journal waits for the next shipper. */
const HOPELESS_MS = 10 * 60_000;

/**
 * V8 collects the whole heap when it has grown by a third, and counts the copy that gRPC makes of each request: every half
 * second at full load, for a fifth of this process's CPU time. Its heap of 9 MB may grow to four times that first.
 */
setFlagsFromString('--heap-growing-percent=300');

function tell(message: FromShipper): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

async function main(config: ShipperConfig): Promise<void> {
  openDirectory(config.dir);
  const lock = ShipperLock.acquire(config.dir);
  if (!lock) {
    tell({ type: 'busy' });
    if (process.connected) process.disconnect();
    return;
  }
  const shipper = new Shipper({
    dir: config.dir,
    maxBytes: config.maxBytes,
    lock,
    export: config.export,
    onRecovered: (found) => {
      tell(found);
      letGoOfTheDead();
    },
    // Only a coordinator stays connected.
    isTold: () => process.connected,
  });

  let hasStderr = true;
  /** With no writer alive, nobody is there for whom to hold the standard error. */
  function letGoOfTheDead(): void {
    if (!hasStderr || process.connected || shipper.liveWriters > 0) return;
    try {
      releaseStderr();
      hasStderr = false;
    } catch {
      // No descriptor is left; tried again with the next statistics.
    }
  }

  const stopHearing = hearWords(config.dir, (target) => shipper.hear(target));
  // Its starter may end long before its files change.
  const stopWatching = watchExport(config.export, (fresh) => shipper.hear(fresh));

  process.on('message', (message) => {
    const known = parseToShipper(message);
    if (known?.type === 'writer-exit') shipper.writerExited(known);
    else if (known?.type === 'stop') shipper.stop(known.deadlineMs);
  });
  // A service manager signals the whole group at once: the workers still drain, and their last spans are shipped, too.
  process.on('SIGTERM', () => shipper.stop(config.shutdownTimeoutMs, true));

  let hopelessSince = performance.now();
  let shipped = 0;
  const stats = setInterval(() => {
    const now = performance.now();
    const current = shipper.stats();
    tell({ type: 'stats', stats: current });
    if (shipper.liveWriters > 0 || current.shipped !== shipped || process.connected) hopelessSince = now;
    shipped = current.shipped;
    letGoOfTheDead();
    // Another program has come, which starts a shipper that prints where this program's operator looks.
    if (!hasStderr && shipper.liveWriters > 0) shipper.stop(0);
    const alone = !process.connected && shipper.idleMs > LINGER_MS;
    if (alone || now - hopelessSince > HOPELESS_MS) shipper.stop(0);
  }, STATS_MS);
  tell({ type: 'ready' });

  await shipper.run();
  stopHearing();
  stopWatching();
  clearInterval(stats);
  tell({ type: 'stats', stats: shipper.stats() });
  if (process.connected) process.disconnect();
}

// Ctrl-C reaches the whole foreground group; the shipper goes when its work is done.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.title = 'forktrace shipper';
process.stdin.setEncoding('utf8');
let text = '';
for await (const chunk of process.stdin) text += chunk;
// Its starter was killed before it could say what to ship.
if (text === '') process.exit();
const config: ShipperConfig = JSON.parse(text);
main(config).then(
  // An export that was given up may still hold a socket or a timer.
  () => setImmediate(() => process.exit()),
  (error: Error) => {
    warn('FORKTRACE_SHIPPER_FAILED', `The shipper of ${config.dir} failed: ${error.message}`);
    process.exitCode = 1;
    if (process.connected) process.disconnect();
  },
);
