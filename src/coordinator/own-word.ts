/**
 * What a dead worker has said of its end, read by the coordinator itself: a cause is told at once, and the
 * shipper may be busy, or dead as well.
 *
 * @module
 */
import { readPostMortems } from '../forensics/post-mortem.js';
import { type LastVitals, vitalsOf } from '../forensics/vitals-table.js';
import { type ExitRecord, vitalsOfProcess } from '../journal/vitals.js';

export interface OwnWord {
  record: ExitRecord | undefined;
  vitals: LastVitals | undefined;
}

/**
 * From its vitals page; where a shipper has taken that away already, from what it has kept. Never throws.
 *
 * @param dirs journal directories: a coordinator may have changed its user, and has two then
 * @param forkedAtMs milliseconds since the epoch
 */
export function ownWordOf(dirs: ReadonlySet<string>, pid: number, forkedAtMs: number): OwnWord {
  for (const dir of dirs) {
    const page = vitalsOfProcess(dir, pid, forkedAtMs);
    if (page !== undefined) return { record: page.exit, vitals: vitalsOf(page.numbers) };
    const kept = readPostMortems(dir).find((death) => death.pid === pid && death.atMs >= forkedAtMs);
    if (kept !== undefined) return { record: kept.record, vitals: kept.vitals };
  }
  return { record: undefined, vitals: undefined };
}
