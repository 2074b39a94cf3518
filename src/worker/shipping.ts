import { createRequire } from 'node:module';
import type { ResolvedConfig } from '../config/resolved.js';
import type { WorkerIdentity } from '../config/types.js';

const require = createRequire(import.meta.url);

/** What this process does to get its journal shipped. */
export interface Shipping {
  stop(): Promise<void>;
}

const elsewhere: Shipping = { stop: async () => {} };

/**
 * Under our coordinator nothing: it brings the shipper up. Any other process ships inline, or starts a
 * shipper process where it finds none alive; that one outlives it until the journal is shipped.
 */
export function startShipping(config: ResolvedConfig, identity: WorkerIdentity): Shipping {
  if (config.ship === 'inline') {
    const { startInlineShipper } = require('../shipper/inline.js') as typeof import('../shipper/inline.js');
    const { shipperConfigOf } = require('../shipper/start.js') as typeof import('../shipper/start.js');
    const shipper = startInlineShipper(shipperConfigOf(config), config.forensics.redactLastWords);
    return { stop: () => shipper.stop(config.supervise.shutdownTimeoutMs) };
  }
  if (identity.manager === 'cluster' && identity.slot !== undefined) return elsewhere;
  const { ensureShipper, shipperConfigOf } = require('../shipper/start.js') as typeof import('../shipper/start.js');
  const keeper = ensureShipper(shipperConfigOf(config), { attached: false });
  return { stop: async () => keeper.release() };
}
