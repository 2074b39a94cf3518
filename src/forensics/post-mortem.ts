/**
 * A post-mortem: what is known about a death, in a file beside the journal. The journal itself is reused once
 * it is shipped. The process that recovers a dead writer writes the file; `forktrace inspect` and other
 * programs read it.
 *
 * @module
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ExitRecord } from '../journal/vitals.js';
import { makeDirectory } from '../process/private-directory.js';
import { replacePrivate } from '../process/private-file.js';
import type { ProcessExit } from '../process/process-exit.js';
import type { Block } from './block.js';
import type { ExitCause } from './exit-cause.js';
import type { LogInBrief, SpanInBrief } from './in-brief.js';
import type { LastVitals } from './vitals-table.js';

/** Folder in the service's journal directory. */
const FOLDER = 'deaths';
/** Number of files that are kept. The oldest is deleted first. */
const KEPT = 100;
const NAME = /^(\d+)-([0-9a-f]{12})\.json$/;

export interface PostMortem extends ProcessExit {
  id: string;
  /** When it died, in milliseconds since the epoch. */
  atMs: number;
  service: string;
  pid: number;
  slot: number | undefined;
  cause: ExitCause;
  /** What the process wrote about its end: for example its exception. */
  record: ExitRecord | undefined;
  /** What the process was doing, if its event loop was blocked. */
  block: Block | undefined;
  /** The end of its standard error. */
  lastWords: string | undefined;
  /** At most 20 log records, the newest last. Absent in files of an older version. */
  lastLogs?: LogInBrief[] | undefined;
  /** Files that `--heapsnapshot-near-heap-limit` has written, if any. */
  heapSnapshots?: string[] | undefined;
  vitals: LastVitals | undefined;
  /** At most 100 spans. */
  inFlight: (SpanInBrief & { role: 'culprit' | 'victim' | undefined })[];
  inFlightTotal: number;
  /** The last spans that had ended, the newest first. */
  lastSpans: SpanInBrief[];
  /** The slowest spans of the last segment. */
  slowestSpans: SpanInBrief[];
}

/** Whether an end needs no explanation, such as a stop. */
export function isOrdinary({ cause, code }: Pick<PostMortem, 'cause' | 'code'>, inFlight: number): boolean {
  switch (cause) {
    case 'stop':
    case 'reload':
    case 'scale':
    case 'recycle_requests':
    case 'recycle_memory':
      return inFlight === 0;
    case 'exit':
      return code === 0 && inFlight === 0;
    default:
      return false;
  }
}

export function postMortemId(writerId: string): string {
  return writerId.slice(0, 12);
}

/** Writes a post-mortem, and deletes the oldest. Never throws, so that recovery goes on. */
export function keepPostMortem(dir: string, death: PostMortem): void {
  try {
    const folder = join(dir, FOLDER);
    makeDirectory(folder);
    const path = join(folder, `${Math.round(death.atMs)}-${death.id}.json`);
    replacePrivate(path, JSON.stringify(death));
    for (const { name } of namesIn(folder).slice(KEPT)) rmSync(join(folder, name), { force: true });
  } catch {
    // A full or read-only disk.
  }
}

/**
 * The post-mortems in all journal directories below `base`, the newest death first.
 *
 * @param base the directory of the services' journal directories
 */
export function allPostMortems(base: string): PostMortem[] {
  return directoriesIn(base)
    .flatMap(readPostMortems)
    .sort((a, b) => b.atMs - a.atMs);
}

/**
 * How many deaths below `base` happened after `sinceMs`. It reads only the names of the files, because a page
 * asks often.
 */
export function postMortemsSince(base: string, sinceMs: number): number {
  const names = directoriesIn(base).flatMap((dir) => namesIn(join(dir, FOLDER)));
  return names.filter(({ atMs }) => atMs > sinceMs).length;
}

function directoriesIn(base: string): string[] {
  try {
    return readdirSync(base).map((name) => join(base, name));
  } catch {
    return [];
  }
}

/** The post-mortems in a service's journal directory, the newest death first. Other files are skipped. */
export function readPostMortems(dir: string): PostMortem[] {
  const folder = join(dir, FOLDER);
  return namesIn(folder).flatMap(({ name }) => {
    try {
      const death = JSON.parse(readFileSync(join(folder, name), 'utf8')) as PostMortem;
      return typeof death?.cause === 'string' && Array.isArray(death.inFlight) ? [death] : [];
    } catch {
      return [];
    }
  });
}

function namesIn(folder: string): { name: string; atMs: number }[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => NAME.test(name))
    .map((name) => ({ name, atMs: Number(NAME.exec(name)![1]) }))
    .sort((a, b) => b.atMs - a.atMs);
}
