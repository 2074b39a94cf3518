import type { Readable } from 'node:stream';
import { InspectorLines } from '../forensics/inspector-lines.js';
import { LastBytes } from '../forensics/last-bytes.js';
import { passOn } from './pass-on.js';

/** One worker's standard error: passed on as it comes, but for the inspector's lines; the last of it is kept. */
export class WorkerStderr {
  readonly lines = new InspectorLines((url) => void closeLate(url));
  /** Resolves when all of it has been read. */
  readonly ended: Promise<void>;
  readonly #last = new LastBytes(LAST_WORDS_BYTES);

  constructor(stream: Readable) {
    const take = (chunk: Buffer) => {
      this.#last.push(chunk);
      passOn(chunk);
    };
    stream.on('data', (chunk: Buffer) => take(this.lines.filter(chunk)));
    this.ended = new Promise((resolve) => {
      stream.once('close', () => {
        take(this.lines.end());
        resolve();
      });
    });
    stream.on('error', () => {});
  }

  lastWords(): string {
    return this.#last.text();
  }
}

const LAST_WORDS_BYTES = 16 * 1024;

async function closeLate(url: string): Promise<void> {
  const peek = await import('../forensics/peek.js');
  await peek.closeLate(url);
}
