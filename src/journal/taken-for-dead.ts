/**
 * A writer that a shipper has taken for dead, because its process was stopped or a clock was wrong. It goes
 * on under another id, because no reader looks at what it adds to its files. Spans that were in flight have
 * been reported as interrupted; each says so when it ends after all.
 *
 * @module
 */
import { warn } from '../warn.js';
import { ENDED_AFTER_INTERRUPTION } from '../wire/conventions.js';
import { tags } from '../wire/message.js';
import { Span } from '../wire/otlp.js';
import { Encoder } from './encoder.js';
import { AT_ENDED } from './format.js';
import type { SegmentWriter } from './segment-writer.js';
import type { WriteBack } from './write-back.js';
import type { WriterFiles } from './writer-files.js';

const NOTHING = new Uint8Array(0);

export class TakenForDead {
  readonly #files: WriterFiles;
  // Those of `#files`, one step nearer for who asks per span.
  readonly #spans: SegmentWriter;
  readonly #writeBack: WriteBack | undefined;
  /** Entries whose spans have been reported as interrupted. */
  readonly #reported = new Set<number>();

  constructor(files: WriterFiles) {
    this.#files = files;
    this.#spans = files.spans;
    this.#writeBack = files.writeBack;
  }

  /**
   * Whether {@link look} is worth its price. Mapped files say so themselves: one load. Others have to be
   * read, so only now and then.
   */
  mayBe(): boolean {
    if (this.#writeBack !== undefined) return this.#writeBack.isTimeToLook();
    const { segment } = this.#spans;
    return segment !== undefined && segment.file.words[AT_ENDED / 4]! > 0;
  }

  /** Goes on under another id if somebody has taken this writer for dead. @returns whether somebody has */
  look(): boolean {
    const files = this.#files;
    if (files.isClosed || !files.inUse().some((file) => file.ended() !== 0)) return false;
    files.renew();
    const { table } = files;
    for (let entry = 0; entry < table.size; entry++) if (table.isInFlight(entry)) this.#reported.add(entry);
    warn(
      'FORKTRACE_WRITER_RENEWED',
      'A shipper took this process for dead, because the process was stopped or a clock was wrong: requests that were in flight have been reported as interrupted.',
    );
    return true;
  }

  /** Fields to add to the ended span of an entry: an attribute, if the span was reported as interrupted. */
  noteFor(entry: number): Uint8Array {
    return this.#reported.size > 0 && this.#reported.has(entry) ? endedAfterInterruption() : NOTHING;
  }

  /** The entry is free. */
  forget(entry: number): void {
    if (this.#reported.size > 0) this.#reported.delete(entry);
  }
}

let note: Uint8Array | undefined;

/** The attribute, as a field of Span. */
function endedAfterInterruption(): Uint8Array {
  if (note === undefined) {
    const encoder = new Encoder();
    encoder.attribute(tags(Span).attributes, ENDED_AFTER_INTERRUPTION, true);
    note = encoder.copy();
  }
  return note;
}
