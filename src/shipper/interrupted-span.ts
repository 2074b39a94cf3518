/**
 * A span that its process did not live to end, completed from what the in-flight table has of it.
 *
 * @module
 */
import type { Encoder } from '../journal/encoder.js';
import type { InFlightEntry } from '../journal/reader.js';
import type { ProcessExit } from '../process/process-exit.js';
import { fields } from './protobuf-fields.js';

/** Attribute of every interrupted span: `true`. */
export const ATTR_INTERRUPTED = 'forktrace.interrupted';
/** `error.type` of an interrupted span, and the name of the event that says how the process ended. */
export const WORKER_EXIT = 'worker.exit';

/** How and when a process ended, as far as anybody knows. */
export interface Death extends Partial<ProcessExit> {
  /** Milliseconds since the epoch. */
  atMs: number;
}

/** The entry as a `scope_spans` field of its own: status ERROR, `error.type`, an event, and the death as its end. */
export function encodeInterrupted(encoder: Encoder, { scope, fields: span }: InFlightEntry, death: Death): void {
  encoder.tag(0x12);
  const scopeSpans = encoder.begin();
  encoder.raw(scope);
  encoder.tag(0x12);
  const message = encoder.begin();
  encoder.raw(span);
  const endNanos = latest(startOf(span), death.atMs);
  time(encoder, 0x41, endNanos); // end_time_unix_nano = 8
  encoder.attribute(0x4a, 'error.type', WORKER_EXIT);
  encoder.attribute(0x4a, ATTR_INTERRUPTED, true);
  encoder.tag(0x5a); // events = 11
  const event = encoder.begin();
  time(encoder, 0x09, endNanos);
  encoder.stringField(0x12, WORKER_EXIT);
  if (typeof death.code === 'number') encoder.attribute(0x1a, 'worker.exit.code', death.code);
  if (death.signal) encoder.attribute(0x1a, 'worker.exit.signal', death.signal);
  encoder.end(event);
  encoder.tag(0x7a); // status = 15 { message = 2, code = 3: ERROR }
  const status = encoder.begin();
  encoder.stringField(0x12, describe(death));
  encoder.tag(0x18);
  encoder.varint(2);
  encoder.end(status);
  encoder.end(message);
  encoder.end(scopeSpans);
}

function describe({ code, signal }: Death): string {
  if (signal) return `the worker was killed by ${signal}`;
  if (typeof code === 'number') return `the worker exited with code ${code}`;
  return 'the worker died';
}

/** `start_time_unix_nano = 7` */
function startOf(span: Uint8Array): bigint {
  let start = 0n;
  for (const { number, bytes } of fields(span)) {
    if (number === 7 && bytes.length === 8) start = Buffer.from(bytes).readBigUInt64LE();
  }
  return start;
}

/** A span does not end before it starts, whatever clock the death was read from. */
function latest(startNanos: bigint, deathMs: number): bigint {
  const endNanos = BigInt(Math.round(deathMs * 1000)) * 1000n;
  return endNanos > startNanos ? endNanos : startNanos;
}

function time(encoder: Encoder, tag: number, nanos: bigint): void {
  encoder.tag(tag);
  encoder.fixed32(Number(nanos & 0xffffffffn));
  encoder.fixed32(Number(nanos >> 32n));
}
