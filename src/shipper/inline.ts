/**
 * `ship: 'inline'`: the shipper on the event loop of the process that it is in, for programs of one process.
 *
 * @module
 */
import { context } from '@opentelemetry/api';
import type { ResolvedExport } from '../config/resolved.js';
import type { RedactLastWords } from '../forensics/last-words.js';
import { openDirectory } from '../journal/journal-directory.js';
import { suppressTracing } from '../sdk/suppress-tracing.js';
import { warn } from '../warn.js';
import { receiveDestinations } from './destination-messages.js';
import { watchExport } from './fresh-export.js';
import { ShipperLock } from './lock.js';
import { Shipper } from './shipper.js';
import type { ShipperConfig, ShipperStats } from './shipper-messages.js';

/** While another process ships the directory. */
const RETRY_MS = 1000;

export interface InlineShipper {
  /** undefined while another process ships the directory. */
  stats(): ShipperStats | undefined;
  /**
   * Ships what there is, and with `untilWritersEnd` what living writers still add; gives up at the deadline:
   * the journal keeps the rest. Never rejects.
   *
   * @returns whether other programs have counted on this shipper: they need another one
   */
  stop(deadlineMs: number, untilWritersEnd?: boolean): Promise<boolean>;
}

/** Ships the directory from this process, once nobody else does. Holds no process open. */
export function startInlineShipper(config: ShipperConfig, redactLastWords?: RedactLastWords): InlineShipper {
  let shipper: Shipper | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let stopping: [deadlineMs: number, untilWritersEnd?: boolean] | undefined;
  let isNeeded = false;

  const run = async () => {
    openDirectory(config.dir);
    const lock = ShipperLock.acquire(config.dir);
    if (!lock) return;
    try {
      const { dir, maxBytes } = config;
      shipper = new Shipper({ dir, maxBytes, lock, export: config.export, keepAlive: false, redactLastWords });
      const running = shipper;
      const hear = (target: ResolvedExport, at = target === config.export ? 0 : Date.now()) => running.hear(target, at);
      const endings = [receiveDestinations(dir, hear, running.connections), watchExport(config.export, hear)];
      if (stopping) shipper.stop(...stopping);
      await running.run();
      for (const end of endings) end();
      isNeeded = running.isNeeded();
    } finally {
      lock.release();
      shipper = undefined;
    }
  };
  let failed = false;
  let busy = false;
  const start = () => {
    if (busy) return;
    busy = true;
    // What instrumentations make of the exports themselves is nobody's request.
    running = context
      .with(suppressTracing(context.active()), run)
      .catch((error: Error) => {
        if (!failed) warn('FORKTRACE_SHIPPER_FAILED', `The shipper of ${config.dir} failed: ${error.message}`);
        failed = true;
      })
      .finally(() => {
        busy = false;
      });
  };
  const retry = setInterval(start, RETRY_MS).unref();
  start();

  return {
    stats: () => shipper?.stats(),
    async stop(deadlineMs, untilWritersEnd) {
      stopping = [deadlineMs, untilWritersEnd];
      clearInterval(retry);
      shipper?.stop(deadlineMs, untilWritersEnd);
      // The one that had the lock until now may have died a moment ago.
      start();
      await running;
      return isNeeded;
    },
  };
}
