/**
 * What a writer could not keep: counted by cause, and said.
 *
 * @module
 */
import { performance } from 'node:perf_hooks';
import { LossReport } from '../warn.js';
import { codeOf } from './system-error.js';

/** Spans, or log records, not kept, by cause. */
export interface Losses {
  /** The system had no space, memory or directory for another segment. */
  noSpace: number;
  /** Larger than `MAX_CHUNK_BYTES`. */
  tooLarge: number;
  /** Ended after the journal was closed. */
  closed: number;
  /** Unshipped, of any writer, and that this writer deleted to stay within `maxBytes`. */
  dropped: number;
}

/** Between attempts to make a file while the system refuses, in milliseconds. */
const RETRY_MS = 1_000;
const NO_SPACE: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export class LossLedger {
  /** The directory in which files are made, for messages. */
  dir: string;
  readonly #lost: Losses = { noSpace: 0, tooLarge: 0, closed: 0, dropped: 0 };
  readonly #report: LossReport;
  #retryAt = 0;
  /** Why the system refuses a file, for messages. */
  refusal = 'there is no segment';

  constructor(dir: string, what: 'Spans' | 'Log records') {
    this.dir = dir;
    const describe = (lost: number, reason: string) => `${what} lost: ${lost}, because ${reason}.`;
    this.#report = new LossReport('FORKTRACE_JOURNAL_LOSS', describe);
  }

  lose(cause: keyof Losses, count: number, reason: string): void {
    this.#lost[cause] += count;
    this.#report.add(count, reason);
  }

  /** The system has refused a file: what happens until the next attempt is said with its reason. */
  refused(error: unknown): void {
    const code = codeOf(error);
    this.#retryAt = performance.now() + RETRY_MS;
    const isDenied = code === 'EACCES' || code === 'EPERM';
    const what = isDenied
      ? `user ${process.geteuid?.()} cannot create files`
      : NO_SPACE.has(code)
        ? 'there is no space'
        : 'no file can be written';
    this.refusal = `${what} in ${this.dir} (${code ?? (error as Error).message})`;
  }

  /** Whether the system has refused a file so short a time ago that it is not asked again. */
  get isRefusing(): boolean {
    return performance.now() < this.#retryAt;
  }

  counts(): Losses & { total: number } {
    const { noSpace, tooLarge, closed, dropped } = this.#lost;
    return { total: noSpace + tooLarge + closed + dropped, ...this.#lost };
  }

  /** Says what has not been said yet. */
  end(): void {
    this.#report.end();
  }
}
