/**
 * What a dead worker has written about its end, read by the coordinator itself. So the cause is known at
 * once, even if the shipper is busy, or dead as well.
 *
 * @module
 */
import { readPostMortems } from '../forensics/post-mortem.js';
import { type LastVitals, vitalsOf } from '../forensics/vitals-table.js';
import { type ExitRecord, vitalsOfProcess } from '../journal/vitals.js';

export interface ExitEvidence {
  record: ExitRecord | undefined;
  vitals: LastVitals | undefined;
}

/**
 * Reads the worker's vitals page or, if a shipper has removed it already, the post-mortem. Never throws.
 *
 * @param dirs journal directories: two for a coordinator that has changed its user
 * @param forkedAtMs milliseconds since the epoch
 */
export function exitEvidenceOf(dirs: ReadonlySet<string>, pid: number, forkedAtMs: number): ExitEvidence {
  for (const dir of dirs) {
    const page = vitalsOfProcess(dir, pid, forkedAtMs);
    if (page !== undefined) return { record: page.exit, vitals: vitalsOf(page.numbers) };
    const kept = readPostMortems(dir).find((death) => death.pid === pid && death.atMs >= forkedAtMs);
    if (kept !== undefined) return { record: kept.record, vitals: kept.vitals };
  }
  return { record: undefined, vitals: undefined };
}
