/**
 * The shipper process: forked by {@link ShipperKeeper}, which writes its configuration to its standard input.
 * It outlives whoever started it, and exits when no writer lives and nothing is left to ship.
 *
 * @module
 */
import { parse } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { openDirectory } from '../journal/journal-directory.js';
import { closeInherited } from '../process/inherited-descriptors.js';
import { processExists } from '../process/run-directory.js';
import { warn } from '../warn.js';
import { receiveDestinations } from './destination-messages.js';
import { watchExport } from './fresh-export.js';
import { isShipperAlive, ShipperLock } from './lock.js';
import { releaseStdout } from './release-stdout.js';
import { Shipper } from './shipper.js';
import { type FromShipper, parseToShipper, type StartedShipper } from './shipper-messages.js';
import { type Leaving, tend } from './tenure.js';
import { keepUnheard } from './unheard.js';

/** A little less than the time between two looks, as timers are not that precise. */
const STATS_MS = 950;
/**
 * With nobody left to ship for, in milliseconds: a tool that follows within it needs no shipper of its own.
 */
const LINGER_MS = 1500;
/** With no writer alive and nothing getting through: the journal waits for the next shipper. */
const HOPELESS_MS = 10 * 60_000;
/** A program that has lived so long looks for its shipper again and again: see `start.ts`. */
const LOOKS_AGAIN_MS = 2000;
/** For another shipper to come; nothing is shipped meanwhile. */
const MAKES_WAY_MS = 15_000;
/** To ship what there is, before another one ships. */
const FINISHES_WITHIN_MS = 1000;

/**
 * V8 collects the whole heap when it has grown by a third, and counts the copy that gRPC makes of each
 * request: every half second at full load, for a fifth of this process's CPU time. Its heap of 9 MB may grow
 * to four times that first.
 */
setFlagsFromString('--heap-growing-percent=300');

function tell(message: FromShipper): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/** Its starter's. Without `console` it is nowhere from the start. */
let hasStdout = true;
/** Its starter has ended: nobody writes what this process says. */
let isUnheard = false;
/** Nobody is left for whom it was started: what others start prints where their operators look. */
let isForOthers = false;
/** The system has told this process to end. */
let mustEnd = false;
/** Once: a program that does not come for its journal is shipped for by this process after all. */
let hasMadeWay = false;

async function main(config: StartedShipper): Promise<void> {
  openDirectory(config.dir);
  process.on('warning', (warning) => {
    isUnheard ||= !processExists(config.starter);
    if (isUnheard) keepUnheard(config.dir, warning);
  });
  let shipper: Shipper | undefined;
  process.on('message', (message) => {
    const known = parseToShipper(message);
    if (known?.type === 'writer-exit') shipper?.writerExited(known);
    else if (known?.type === 'stop') shipper?.stop(known.deadlineMs);
  });
  // A service manager signals the whole group at once: the workers still drain, and their last spans are
  // shipped, too.
  process.on('SIGTERM', () => {
    mustEnd = true;
    shipper?.stop(config.shutdownTimeoutMs, true);
  });

  const has = await tend<ShipperLock>({
    acquire: () => ShipperLock.acquire(config.dir),
    ship(lock) {
      shipper = newShipper(config, lock);
      return ship(config, shipper);
    },
    isNeeded() {
      const isNeeded = shipper!.isNeeded();
      if (isNeeded) goOnAlone();
      return isNeeded;
    },
    makeWay: () => waitForSuccessor(config.dir),
  });
  if (!has) tell({ type: 'busy' });
  if (process.connected) process.disconnect();
}

/** Its starter waits for the end of its own journal, not of others'. */
function goOnAlone(): void {
  tell({ type: 'goes-on' });
  if (process.connected) process.disconnect();
  isForOthers = true;
}

/** The program looks once a second, and what it starts has to boot: on a busy machine that takes seconds. */
async function waitForSuccessor(dir: string): Promise<void> {
  const until = performance.now() + MAKES_WAY_MS;
  while (!isShipperAlive(dir) && performance.now() < until) await sleep(100);
}

function newShipper(config: StartedShipper, lock: ShipperLock): Shipper {
  const shipper = new Shipper({
    dir: config.dir,
    maxBytes: config.maxBytes,
    lock,
    export: config.export,
    onRecovered: (found) => {
      tell(found);
      releaseUnused(shipper);
    },
    // Only a coordinator stays connected.
    isTold: () => process.connected,
    lingerMs: LINGER_MS,
  });
  return shipper;
}

/** With no writer alive, and all printed, nobody is there for whom to hold the standard output. */
function releaseUnused(shipper: Shipper): void {
  if (!hasStdout || process.connected || shipper.liveWriters > 0 || shipper.hasToPrint) return;
  try {
    releaseStdout();
    hasStdout = false;
  } catch {
    // No descriptor is left; tried again with the next statistics.
  }
}

async function ship(config: StartedShipper, shipper: Shipper): Promise<Leaving> {
  const stopHearing = receiveDestinations(config.dir, (target, at) => shipper.hear(target, at), shipper.connections);
  // Its starter may end long before its files change.
  const stopWatching = watchExport(config.export, (fresh) =>
    shipper.hear(fresh, fresh === config.export ? 0 : Date.now()),
  );
  let makesWay = false;
  let hopelessSince = performance.now();
  let shipped = 0;
  let statsAt = performance.now();
  const looked = () => {
    const now = performance.now();
    if (now - statsAt < STATS_MS) return;
    statsAt = now;
    const current = shipper.stats();
    tell({ type: 'stats', stats: current });
    const before = shipped;
    shipped = current.shipped + current.logRecords.shipped;
    if (shipper.liveWriters > 0 || shipped !== before || process.connected) hopelessSince = now;
    releaseUnused(shipper);
    // Another program has come to stay, which starts a shipper that prints where its operator looks.
    isUnheard ||= !processExists(config.starter);
    isForOthers ||= isUnheard && (!config.attached || shipper.liveWriters === 0);
    if (isForOthers && !hasMadeWay && shipper.longestLifeMs > LOOKS_AGAIN_MS) {
      hasMadeWay = true;
      makesWay = true;
      shipper.stop(FINISHES_WITHIN_MS);
    }
    if (now - hopelessSince > HOPELESS_MS) shipper.stop(0);
  };
  tell({ type: 'ready' });

  await shipper.run(looked);
  stopHearing();
  stopWatching();
  tell({ type: 'stats', stats: shipper.stats() });
  if (mustEnd) return 'for good';
  return shipper.hasEndedIdle ? 'idle' : makesWay ? 'making way' : 'told';
}

closeInherited();
// Ctrl-C reaches the whole foreground group; the shipper goes when its work is done.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.stderr.on('error', () => {
  isUnheard = true;
});
process.title = 'forktrace shipper';
// Its own files are its user's alone, and it holds no file system that it happens to be started on.
process.umask(0o077);
process.chdir(parse(process.execPath).root);
process.stdin.setEncoding('utf8');
let text = '';
for await (const chunk of process.stdin) {
  text += chunk;
  // The end of the stream may come late: a starter that is ending already sends it with its own end.
  if (text.endsWith('\n')) break;
}
// Its starter was killed before it could say what to ship.
if (text === '') process.exit();
const config: StartedShipper = JSON.parse(text);
main(config).then(
  // An export that was given up may still hold a socket or a timer.
  () => setImmediate(() => process.exit()),
  (error: Error) => {
    warn('FORKTRACE_SHIPPER_FAILED', `The shipper of ${config.dir} failed: ${error.message}`);
    process.exitCode = 1;
    if (process.connected) process.disconnect();
  },
);
