import type { ChildExit } from '../config/types.js';
import type { Block } from '../forensics/block.js';
import type { LogInBrief } from '../forensics/post-mortem.js';
import type { Sample } from '../forensics/vitals-table.js';
import type { ExitRecord } from '../journal/vitals.js';
import type { StderrRecords } from '../logs/stderr-records.js';
import type { EndedBlock } from './block-watch.js';

/** What is known of a dead worker beyond its exit. */
export interface Findings {
  /** Of what is remembered of the death, where something is. */
  deathId: string | undefined;
  /** What it was found doing, if its event loop was blocked. */
  block: Block | undefined;
  /** The end of its standard error, where nobody had told it to end. */
  lastWords: string | undefined;
  /** Its last log records, where nobody had told it to end. */
  lastLogs: LogInBrief[] | undefined;
  /** What it wrote of its end, while it ended. */
  record: ExitRecord | undefined;
  /** Of its last second. */
  vitals: Sample | undefined;
}

/** Where the coordinator's life is recorded as spans. */
export interface LifecycleSpans {
  workerForked(slot: number, incarnation: number, pid: number | undefined): void;
  workerReady(slot: number, incarnation: number): void;
  /** Keeps what a worker writes to standard error as log records; undefined where that is not asked for. */
  stderrRecords(slot: number, incarnation: number, pid: number): StderrRecords | undefined;
  /** The process has ended; the function that is returned adds what has been found out about it. */
  workerDied(slot: number, incarnation: number): (exit: ChildExit, findings: Findings) => void;
  /** The event loop of a worker was blocked, and turns again. */
  blockEnded(slot: number, incarnation: number, block: EndedBlock): void;
  /** All workers are ready for the first time. */
  clusterReady(workers: number): void;
  scaleStarted(workers: number): void;
  /** @param error why there are not as many workers as wanted */
  scaleEnded(error: string | undefined): void;
  reloadStarted(): void;
  /** @param error why it was aborted */
  reloadEnded(slots: readonly number[], error: string | undefined): void;
  /** The crash-loop breaker has changed. */
  breakerChanged(state: 'open' | 'half-open' | 'closed'): void;
  shutdownStarted(reason: string): void;
  shutdownEnded(): void;
  close(): void;
}

/** For the `batch` pipeline: the coordinator holds no exporter. */
export const noLifecycleSpans: LifecycleSpans = {
  workerForked() {},
  workerReady() {},
  stderrRecords: () => undefined,
  workerDied: () => () => {},
  blockEnded() {},
  clusterReady() {},
  scaleStarted() {},
  scaleEnded() {},
  reloadStarted() {},
  reloadEnded() {},
  breakerChanged() {},
  shutdownStarted() {},
  shutdownEnded() {},
  close() {},
};
