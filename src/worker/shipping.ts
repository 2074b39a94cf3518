import { createRequire } from 'node:module';
import type { ResolvedConfig } from '../config/resolved.js';
import type { WorkerIdentity } from '../config/types.js';

const require = createRequire(import.meta.url);

/** What this process does to get its journal shipped. */
export interface Shipping {
  /** Once the journal is closed. */
  stop(): Promise<void>;
  /**
   * At the exit of the process, which may be the first moment since its start that it can look: whoever had
   * the lock then may be gone.
   */
  lookAgain(): void;
  /** The journal continues in another directory, as the process has changed its user. */
  goTo(dir: string): void;
}

/**
 * Under our coordinator nothing: it brings the shipper up. Any other process ships inline, or starts a
 * shipper process where it finds none alive; that one outlives it until the journal is shipped.
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
      lookAgain() {},
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

/** Under Node's permission model a process may be alone. */
export function mayStartProcesses(): boolean {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  return permission === undefined || permission.has('child');
}
