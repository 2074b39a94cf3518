/**
 * What a program has done with its spans, and so what a shipper may and must find of each, whenever the
 * program is stopped.
 *
 * @module
 */
import { fieldLength, putVarint } from '#src/wire/varint.js';

export type Step = 'beginning' | 'in flight' | 'finishing' | 'ended' | 'dropping' | 'dropped';

export interface KnownSpan {
  id: number;
  step: Step;
  hasEntry: boolean;
  /** A log record: in the segments of those. */
  isLog: boolean;
  /** Fields that an interrupted span must have, and those that are being added to it. */
  known: Buffer[];
  adding: Buffer | undefined;
  /** The fields of the ended span. */
  whole: Buffer;
  /** `write` mode: since the last write-back, what has been said of it may be lost. */
  unwritten: boolean;
  /** It was in flight when its writer was taken for dead: told as interrupted, whatever comes after. */
  told: boolean;
  /** It may be said to have ended after its interruption: it was in flight when its writer saw that. */
  noted: boolean;
  /** What its writer does with it now, before it sees that it was taken for dead, dies with it. */
  unseen: boolean;
  /** Its segment was deleted, and is being saved: a process that dies over that may leave it twice. */
  saving: boolean;
}

/** What a shipper has delivered of one span. */
export interface Found {
  ended: number;
  interrupted: number;
  /** As the shipper read them last. */
  endedFields: Buffer;
  interruptedFields: Buffer;
}

/** @returns what is wrong with what was found of `span`, or undefined */
export function fault(span: KnownSpan, found: Found): string | undefined {
  const { ended, interrupted } = found;
  const total = ended + interrupted;
  if (span.told && interrupted > 0) return faultOfTold(span, found);
  if (span.unseen && total === 0) return undefined;
  if (span.saving && ended === 2 && interrupted === 0) return wrongFields(span, { ...found, ended: 1 });
  if (total > 1) return `${ended} times ended and ${interrupted} times interrupted`;
  if (!span.hasEntry) {
    const must = span.step === 'ended' && !span.unwritten;
    if (interrupted > 0) return 'interrupted, though it had no entry';
    return must && ended === 0 ? 'lost, though it had ended' : wrongFields(span, found);
  }
  if (total === 0) {
    const may = span.step === 'beginning' || span.step === 'dropping' || span.step === 'dropped';
    return may ? undefined : `lost, though it was ${span.step}`;
  }
  const mayBeEnded = span.step === 'finishing' || span.step === 'ended';
  const mayBeInterrupted = span.step !== 'ended' || span.unwritten;
  if (span.step === 'dropped' && !span.unwritten) return 'there, though it was dropped';
  if (ended > 0 && !mayBeEnded) return `ended, though it was ${span.step}`;
  if (interrupted > 0 && !mayBeInterrupted) return 'interrupted, though it had ended';
  return wrongFields(span, found);
}

/** It may be told again, when its writer dies after all, and may end. */
function faultOfTold(span: KnownSpan, { ended, endedFields }: Found): string | undefined {
  if (ended > (span.saving ? 2 : 1)) return `${ended} times ended`;
  if (ended === 0)
    return span.step === 'ended' && !span.unseen && !span.unwritten ? 'lost, though it had ended' : undefined;
  if (span.step !== 'ended' && span.step !== 'finishing') return `ended, though it was ${span.step}`;
  return startsWith(endedFields, span.whole) ? undefined : 'ended with other fields than it has';
}

function startsWith(fields: Buffer, expected: Buffer): boolean {
  return fields.subarray(0, expected.length).equals(expected);
}

function wrongFields(
  span: KnownSpan,
  { ended, interrupted, endedFields, interruptedFields }: Found,
): string | undefined {
  const isWhole = span.noted ? startsWith(endedFields, span.whole) : endedFields.equals(span.whole);
  if (ended === 1 && !isWhole) return 'ended with other fields than it has';
  if (interrupted === 0) return undefined;
  const known = span.unwritten ? span.known.slice(0, 1) : span.known;
  return startsWith(interruptedFields, Buffer.concat(known))
    ? undefined
    : 'interrupted without all that was known of it';
}

/** A length-delimited field. */
export function field(number: number, content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(fieldLength(content.length));
  bytes[0] = (number << 3) | 2;
  bytes.set(content, putVarint(bytes, 1, content.length));
  return bytes;
}
