import type { Readable } from 'node:stream';
import type { ResolvedConfig } from '../config/resolved.js';
import { InspectorLines } from '../forensics/inspector-lines.js';
import { LastBytes } from '../forensics/last-bytes.js';
import { LAST_WORDS_BYTES, redacted } from '../forensics/last-words.js';
import type { StderrRecords } from '../logs/stderr-records.js';
import type { LinePrefix } from '../process/line-prefix.js';
import { RecordedOutput } from '../process/recorded-output.js';
import { passOn } from './pass-on.js';

/** How the output is used. */
export interface StderrUses {
  /** Put before each line that is passed on. */
  prefix?: LinePrefix | undefined;
  /** Keeps the part that the worker has not kept as log records itself. */
  records?: StderrRecords | undefined;
}

/**
 * Reads one worker's standard error. All of it is passed on as it comes, except the inspector's lines; the
 * end of it is kept.
 */
export class WorkerStderr {
  readonly lines = new InspectorLines((url) => void closeLate(url));
  /** Resolves when all of it has been read. */
  readonly ended: Promise<void>;
  readonly #last = new LastBytes(LAST_WORDS_BYTES);

  constructor(stream: Readable, { prefix, records }: StderrUses = {}) {
    const marks = records && new RecordedOutput();
    const take = ({ text, unrecorded }: { text: Buffer; unrecorded?: Buffer }) => {
      this.#last.push(text);
      passOn(prefix ? prefix.bytes(text) : text);
      if (unrecorded !== undefined) records?.push(unrecorded);
    };
    const takeChunk = (chunk: Buffer) => take(marks?.take(chunk) ?? { text: chunk });
    stream.on('data', (chunk: Buffer) => takeChunk(this.lines.filter(chunk)));
    this.ended = new Promise((resolve) => {
      stream.once('close', () => {
        takeChunk(this.lines.end());
        if (marks !== undefined) take(marks.end());
        records?.end();
        resolve();
      });
    });
    stream.on('error', () => {});
  }

  /** The end of what the worker has written. */
  lastWords(): string {
    return this.#last.text();
  }
}

/** The last words of a dead worker, as the options allow to tell them; undefined for none. */
export function lastWordsOf(
  stderr: WorkerStderr | undefined,
  { lastWords, redactLastWords }: ResolvedConfig['forensics'],
): string | undefined {
  if (stderr === undefined || !lastWords) return undefined;
  return redacted(stderr.lastWords(), redactLastWords);
}

async function closeLate(url: string): Promise<void> {
  const peek = await import('../forensics/peek.js');
  await peek.closeLate(url);
}
