import { resolveConfig } from '../config/index.js';
import type { ResolvedExport } from '../config/resolved.js';
import type { ExportDestination, TracingConfig } from '../config/types.js';
import { ForktraceError } from '../errors.js';
import { removeDeadSockets } from '../shipper/destination-messages.js';
import { ShipperLock } from '../shipper/lock.js';
import { Shipper } from '../shipper/shipper.js';
import { journalsAt } from './journals-at.js';

export interface ShipOptions {
  to?: string;
  url?: string;
  /** Seconds. */
  timeout: number;
  json?: boolean;
}

/** What became of one journal. */
interface ShippedJournal {
  dir: string;
  shipped: number;
  recovered: number;
  interrupted: number;
  refused: number;
  /** Spans that are in it still. */
  kept: number;
}

/**
 * Ships what a dead machine, container or service has left in `dir`: a service's journal, or a directory of
 * several.
 */
export async function ship(dir: string, { to, url, timeout, json = false }: ShipOptions): Promise<void> {
  const destination: TracingConfig['export'] = {};
  if (to !== undefined) destination.to = to as ExportDestination;
  if (url !== undefined) destination.url = url;
  // What is not given is read from the variables, as in production: nobody looks at a viewer here.
  const config = resolveConfig({ export: destination }, { NODE_ENV: 'production', ...process.env });
  const done: ShippedJournal[] = [];
  let failure: unknown;
  // What cannot be shipped of one does not keep the others.
  for (const journal of journalsAt(dir)) {
    try {
      const result = await shipJournal(journal, config.export, timeout * 1000);
      done.push(result);
      if (!json) process.stdout.write(`${describe(result)}\n`);
      const { kept, refused } = result;
      if (kept > 0 || refused > 0) throw new ForktraceError('FORKTRACE_SHIP_INCOMPLETE', [journal, kept, refused]);
    } catch (error) {
      failure ??= error;
    }
  }
  if (json) process.stdout.write(`${JSON.stringify(done)}\n`);
  if (failure) throw failure;
}

function describe({ dir, shipped, recovered, interrupted, refused, kept }: ShippedJournal): string {
  return `${dir}: shipped ${shipped} spans (${recovered} recovered, ${interrupted} interrupted), refused ${refused}, kept ${kept}`;
}

async function shipJournal(dir: string, destination: ResolvedExport, timeoutMs: number): Promise<ShippedJournal> {
  const lock = ShipperLock.acquire(dir);
  if (!lock) throw new ForktraceError('FORKTRACE_SHIPPER_AT_WORK', [dir]);
  removeDeadSockets(dir);
  try {
    const shipper = new Shipper({
      dir,
      lock,
      export: destination,
      everythingThere: true,
      maxBytes: Number.POSITIVE_INFINITY,
    });
    // Until the dead are recovered, too: it takes two looks to know that they are.
    shipper.stop(timeoutMs, true);
    await shipper.run();
    const { shipped, recovered, interrupted, refused } = shipper.stats();
    return { dir, shipped, recovered, interrupted, refused, kept: shipper.left };
  } finally {
    lock.release();
  }
}
