import type { ResolvedConfig } from '../config/resolved.js';
import type { WorkerIdentity } from '../config/types.js';

/** What this process does to get its journal shipped. */
export interface Shipping {
  stop(): Promise<void>;
}

const elsewhere: Shipping = { stop: async () => {} };

/**
 * Under our coordinator nothing: it brings the shipper up. Any other process ships inline, or starts a shipper process where it
 * finds none alive; that one outlives it until the journal is shipped.
 */
export async function startShipping(config: ResolvedConfig, identity: WorkerIdentity): Promise<Shipping> {
  if (config.ship === 'inline') {
    const { startInlineShipper } = await import('../shipper/inline.js');
    const { shipperConfigOf } = await import('../shipper/start.js');
    const shipper = await startInlineShipper(shipperConfigOf(config));
    return { stop: () => shipper.stop(config.supervise.shutdownTimeoutMs) };
  }
  if (identity.manager === 'cluster' && identity.slot !== undefined) return elsewhere;
  const { ensureShipper, shipperConfigOf } = await import('../shipper/start.js');
  const keeper = ensureShipper(shipperConfigOf(config), { attached: false });
  return { stop: async () => keeper.release() };
}
