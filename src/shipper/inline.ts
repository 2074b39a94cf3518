import { mkdirSync } from 'node:fs';
import { ShipperLock } from './lock.js';
import type { ShipperConfig, ShipperStats } from './messages.js';
import { Shipper } from './shipper.js';
import { createTransport } from './transport.js';

/** Another process may hold the lock and die. */
const CHECK_MS = 1000;
const LEASE_MS = 5000;

/** The shipper on this process's own event loop. */
export interface InlineShipper {
  stats(): ShipperStats | undefined;
  /**
   * Ships what there is, and with `untilWritersEnd` what living writers still add; gives up at the deadline: the journal keeps
   * the rest.
   */
  stop(deadlineMs: number, untilWritersEnd?: boolean): Promise<void>;
}

/** Ships the directory from here whenever no other process does. */
export async function startInlineShipper(config: ShipperConfig): Promise<InlineShipper> {
  mkdirSync(config.dir, { recursive: true, mode: 0o700 });
  const transport = await createTransport(config.export);
  let lock: ShipperLock | undefined;
  let shipper: Shipper | undefined;
  let running: Promise<boolean> | undefined;

  const ensure = () => {
    if (lock) return;
    lock = ShipperLock.acquire(config.dir);
    if (!lock) return;
    shipper = new Shipper({ dir: config.dir, maxBytes: config.maxBytes, transport });
    running = shipper.run();
  };
  ensure();
  const check = setInterval(ensure, CHECK_MS).unref();
  const lease = setInterval(() => {
    if (lock?.isOurs()) lock.renew();
    else shipper?.stop(0);
  }, LEASE_MS).unref();

  return {
    stats: () => shipper?.stats(),
    async stop(deadlineMs, untilWritersEnd) {
      clearInterval(check);
      shipper?.stop(deadlineMs, untilWritersEnd);
      await running;
      clearInterval(lease);
      lock?.release();
      transport.close();
    },
  };
}
