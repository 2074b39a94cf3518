/**
 * A span that its process did not live to end, completed from what the in-flight table has of it.
 *
 * @module
 */
import type { Encoder } from '../journal/encoder.js';
import type { InFlightEntry } from '../journal/reader.js';
import type { ProcessExit } from '../process/process-exit.js';
import {
  ERROR_TYPE,
  EXIT_EVENT,
  EXIT_SIGNAL,
  INTERRUPTED,
  PROCESS_EXIT_CODE,
  WORKER_EXIT,
} from '../wire/conventions.js';
import { decode } from '../wire/decode.js';
import { tags } from '../wire/message.js';
import { Event, ResourceSpans, ScopeSpans, Span, Status } from '../wire/otlp.js';

const SPAN = tags(Span);
const EVENT = tags(Event);
const STATUS = tags(Status);
const STATUS_ERROR = 2;

/** How and when a process ended, as far as anybody knows. */
export interface Death extends Partial<ProcessExit> {
  /** Milliseconds since the epoch. */
  atMs: number;
}

/** The entry as a `scope_spans` field of its own: status ERROR, `error.type`, an event, and the death as its end. */
export function encodeInterrupted(encoder: Encoder, { scope, fields: span }: InFlightEntry, death: Death): void {
  encoder.tag(tags(ResourceSpans).scopeSpans);
  const scopeSpans = encoder.begin();
  encoder.raw(scope);
  encoder.tag(tags(ScopeSpans).spans);
  const message = encoder.begin();
  encoder.raw(span);
  const endNanos = latest(startOf(span), death.atMs);
  time(encoder, SPAN.endTimeUnixNano, endNanos);
  encoder.attribute(SPAN.attributes, ERROR_TYPE, WORKER_EXIT);
  encoder.attribute(SPAN.attributes, INTERRUPTED, true);
  encoder.tag(SPAN.events);
  const event = encoder.begin();
  time(encoder, EVENT.timeUnixNano, endNanos);
  encoder.stringField(EVENT.name, EXIT_EVENT);
  if (typeof death.code === 'number') encoder.attribute(EVENT.attributes, PROCESS_EXIT_CODE, death.code);
  if (death.signal) encoder.attribute(EVENT.attributes, EXIT_SIGNAL, death.signal);
  encoder.end(event);
  encoder.tag(SPAN.status);
  const status = encoder.begin();
  encoder.stringField(STATUS.message, describe(death));
  encoder.tag(STATUS.code);
  encoder.varint(STATUS_ERROR);
  encoder.end(status);
  encoder.end(message);
  encoder.end(scopeSpans);
}

function describe({ code, signal }: Death): string {
  if (signal) return `the worker was killed by ${signal}`;
  if (typeof code === 'number') return `the worker exited with code ${code}`;
  return 'the worker died';
}

function startOf(span: Uint8Array): bigint {
  try {
    return BigInt(decode(span, Span).startTimeUnixNano ?? 0);
  } catch {
    // No span, which is found when all of it is checked.
    return 0n;
  }
}

/** A span does not end before it starts, whatever clock the death was read from. */
function latest(startNanos: bigint, deathMs: number): bigint {
  const endNanos = BigInt(Math.round(deathMs * 1000)) * 1000n;
  return endNanos > startNanos ? endNanos : startNanos;
}

function time(encoder: Encoder, tag: number, nanos: bigint): void {
  encoder.tag(tag);
  encoder.fixed64(nanos);
}
