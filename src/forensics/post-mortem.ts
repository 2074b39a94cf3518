/**
 * What is known of a death, kept in a file of its own beside the journal: the journal itself is given back
 * once it is shipped. Written by whoever recovers a dead writer, read by `forktrace inspect` and by programs
 * that ask.
 *
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExitRecord } from '../journal/vitals.js';
import type { ProcessExit } from '../process/process-exit.js';
import type { Block } from './block.js';
import type { ExitCause } from './exit-cause.js';
import type { LastVitals } from './vitals-table.js';

/** In the service's journal directory. */
const FOLDER = 'deaths';
/** Files that are kept; the oldest goes first. */
const KEPT = 100;
const NAME = /^(\d+)-([0-9a-f]{12})\.json$/;

/** A span that was in flight at the death, or one of the last that had ended. */
export interface SpanInBrief {
  name: string;
  traceId: string;
  spanId: string;
  /** Milliseconds since the epoch. */
  startMs: number;
  /** Milliseconds; for a span in flight until the death. */
  durationMs: number;
  error: boolean;
}

/** A log record of a dead process. Texts are cut at 1024 characters. */
export interface LogInBrief {
  /** Milliseconds since the epoch. */
  timeMs: number;
  /** OpenTelemetry's number, 1 to 24; 0: not said. */
  severity: number;
  severityText: string;
  body: string;
  /** `name=value, …` */
  attributes: string;
  /** Empty outside of any trace, as is `spanId`. */
  traceId: string;
  spanId: string;
}

export interface PostMortem extends ProcessExit {
  id: string;
  /** When it died, in milliseconds since the epoch. */
  atMs: number;
  service: string;
  pid: number;
  slot: number | undefined;
  cause: ExitCause;
  /** What it wrote of its end: its exception, for one. */
  record: ExitRecord | undefined;
  /** What it was found doing, if its event loop was blocked. */
  block: Block | undefined;
  /** The end of its standard error. */
  lastWords: string | undefined;
  /** At most 20 log records, the newest last; absent in what an older version has kept. */
  lastLogs?: LogInBrief[] | undefined;
  /** Files of `--heapsnapshot-near-heap-limit`, where there are any. */
  heapSnapshots?: string[] | undefined;
  vitals: LastVitals | undefined;
  /** At most 100 of them. */
  inFlight: (SpanInBrief & { role: 'culprit' | 'victim' | undefined })[];
  inFlightTotal: number;
  /** The last spans that had ended, the newest first. */
  lastSpans: SpanInBrief[];
  /** The slowest of the last segment. */
  slowestSpans: SpanInBrief[];
}

/** Ends that nobody asks about. */
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

/** Keeps it, and forgets the oldest. Never throws: what is known of a death is worth no second failure. */
export function keepPostMortem(dir: string, death: PostMortem): void {
  try {
    const folder = join(dir, FOLDER);
    mkdirSync(folder, { mode: 0o700, recursive: true });
    const path = join(folder, `${Math.round(death.atMs)}-${death.id}.json`);
    writeFileSync(`${path}.new`, JSON.stringify(death), { mode: 0o600 });
    renameSync(`${path}.new`, path);
    for (const { name } of namesIn(folder).slice(KEPT)) rmSync(join(folder, name), { force: true });
  } catch {
    // A full disk, or one that can only be read.
  }
}

/**
 * What is kept in all journal directories below one, the newest death first.
 *
 * @param base where the services' journal directories are
 */
export function allPostMortems(base: string): PostMortem[] {
  return directoriesIn(base)
    .flatMap(readPostMortems)
    .sort((a, b) => b.atMs - a.atMs);
}

/**
 * How many deaths below `base` happened after `sinceMs`: by the files' names alone, as a page asks again and
 * again.
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

/**
 * What is kept in a service's journal directory, the newest death first. Files that are none are passed over.
 */
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
