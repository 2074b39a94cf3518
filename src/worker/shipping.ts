import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import type { ResolvedConfig } from '../config/resolved.js';
import type { WorkerIdentity } from '../config/types.js';
import { isSingleExecutable } from '../process/single-executable.js';

const require = createRequire(import.meta.url);

/** How this process gets its journal shipped. */
export interface Shipping {
  /** Called once the journal is closed. */
  stop(): Promise<void>;
  /**
   * Called at the exit of a process. It may be the first moment since its start at which the process can look
   * whether a shipper runs: the one that had the lock at its start may be gone.
   */
  lookAgain(): void;
  /** The journal goes on in another directory, because the process has changed its user. */
  goTo(dir: string): void;
}

/**
 * Starts nothing under our coordinator, which starts the shipper. Any other process ships inline, or starts a
 * shipper process when none runs; that process lives until the journal is shipped.
 */
export function startShipping(config: ResolvedConfig, identity: WorkerIdentity): Shipping {
  const isShippedFor = config.ship !== 'inline' && identity.manager === 'cluster' && identity.slot !== undefined;
  const places = isShippedFor ? [] : [shipFrom(config)];
  return {
    async stop() {
      await Promise.all(places.map((place) => place.stop()));
    },
    lookAgain() {
      for (const place of places) place.lookAgain();
    },
    goTo(dir) {
      places.push(shipFrom({ ...config, journal: { ...config.journal, dir } }));
    },
  };
}

function shipFrom(config: ResolvedConfig): Omit<Shipping, 'goTo'> {
  if (config.ship === 'inline') {
    const { startInlineShipper } = require('../shipper/inline.js') as typeof import('../shipper/inline.js');
    const { ensureShipper, shipperConfigOf } = require('../shipper/start.js') as typeof import('../shipper/start.js');
    const shipper = startInlineShipper(shipperConfigOf(config), config.forensics.redactLastWords);
    return {
      async stop() {
        const isNeeded = await shipper.stop(config.supervise.shutdownTimeoutMs);
        if (isNeeded && mayStartProcesses()) ensureShipper(shipperConfigOf(config), { attached: false }).release();
      },
      lookAgain() {
        // A thread's end is not that of the process, which ships on.
        if (!isMainThread) return;
        const { sayLeft } = require('../shipper/say-left.js') as typeof import('../shipper/say-left.js');
        sayLeft(config.journal.dir, 'this process ended before it could ship them');
      },
    };
  }
  const { ensureShipper, shipperConfigOf } = require('../shipper/start.js') as typeof import('../shipper/start.js');
  const keeper = ensureShipper(shipperConfigOf(config), { attached: false });
  return {
    async stop() {
      keeper.lookAgain();
      keeper.release();
    },
    lookAgain: () => keeper.lookAgain(),
  };
}

/** Whether this process can start programs of ours. */
export function mayStartProcesses(): boolean {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  return (permission === undefined || permission.has('child')) && !isSingleExecutable();
}
