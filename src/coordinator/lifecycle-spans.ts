import type { ChildExit } from '../config/types.js';
import type { Block } from '../forensics/block.js';
import type { LogInBrief } from '../forensics/in-brief.js';
import type { Sample } from '../forensics/vitals-table.js';
import type { ExitRecord } from '../journal/vitals.js';
import type { StderrRecords } from '../logs/stderr-records.js';
import type { EndedBlock } from './block-watch.js';

/** What is known about a dead worker besides its exit. */
export interface Findings {
  /** Id of the post-mortem; undefined when there is none. */
  deathId: string | undefined;
  /** What the worker was doing, if its event loop was blocked. */
  block: Block | undefined;
  /** The end of its standard error; only for a worker that had not been told to stop. */
  lastWords: string | undefined;
  /** Its last log records; only for a worker that had not been told to stop. */
  lastLogs: LogInBrief[] | undefined;
  /** What the worker wrote about its end while it ended. */
  record: ExitRecord | undefined;
  /** Its vitals in its last second. */
  vitals: Sample | undefined;
}

/** Records the life of the cluster as spans. */
export interface LifecycleSpans {
  workerForked(slot: number, incarnation: number, pid: number | undefined): void;
  workerReady(slot: number, incarnation: number): void;
  /** Keeps a worker's standard error as log records. Undefined when the options do not ask for it. */
  stderrRecords(slot: number, incarnation: number, pid: number): StderrRecords | undefined;
  /** Called when the process has ended. The returned function adds what has been found out since. */
  workerDied(slot: number, incarnation: number): (exit: ChildExit, findings: Findings) => void;
  /** Called when the event loop of a worker was blocked and turns again. */
  blockEnded(slot: number, incarnation: number, block: EndedBlock): void;
  /** Called when all workers are ready for the first time. */
  clusterReady(workers: number): void;
  scaleStarted(workers: number): void;
  /** @param error why the wanted number of workers was not reached */
  scaleEnded(error: string | undefined): void;
  reloadStarted(): void;
  /** @param error why the reload was aborted */
  reloadEnded(slots: readonly number[], error: string | undefined): void;
  /** Called when the state of the crash-loop breaker has changed. */
  breakerChanged(state: 'open' | 'half-open' | 'closed'): void;
  shutdownStarted(reason: string): void;
  shutdownEnded(): void;
  close(): void;
}

/** For the `batch` pipeline, in which the coordinator has no exporter. */
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
