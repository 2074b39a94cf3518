/**
 * A span that its process did not live to end, completed from what the in-flight table has of it.
 *
 * @module
 */
import { type Block, blockAttributes } from '../forensics/block.js';
import type { ExitCause } from '../forensics/exit-cause.js';
import { exitExceptionAttributes } from '../forensics/exit-exception.js';
import { ownEnd } from '../forensics/own-end.js';
import type { Encoder } from '../journal/encoder.js';
import { sinceWord } from '../journal/monotonic.js';
import type { InFlightEntry } from '../journal/table-reader.js';
import type { ExitRecord } from '../journal/vitals.js';
import type { ProcessExit } from '../process/process-exit.js';
import {
  BLOCK_SPAN_NAME,
  DEATH_ID,
  ERROR_TYPE,
  EXIT_CAUSE,
  EXIT_EVENT,
  EXIT_ROLE,
  EXIT_SIGNAL,
  INTERRUPTED,
  LAST_WORDS,
  LAST_WORDS_TEXT,
  PROCESS_EXIT_CODE,
  WORKER_EXIT,
} from '../wire/conventions.js';
import { decode } from '../wire/decode.js';
import { tags } from '../wire/message.js';
import { Event, Link, ResourceSpans, ScopeSpans, Span, Status } from '../wire/otlp.js';
import type { OtlpSpan } from '../wire/otlp-json.js';

const SPAN = tags(Span);
const EVENT = tags(Event);
const LINK = tags(Link);
const STATUS = tags(Status);
const STATUS_ERROR = 2;

/** How and when a process ended, as far as anybody knows. */
export interface Death extends Partial<ProcessExit> {
  /** @default 'unknown' */
  cause?: ExitCause | undefined;
  /** What the process wrote of it while it ended. */
  record?: ExitRecord | undefined;
  /** Of what is remembered of it. */
  id?: string | undefined;
  /** Milliseconds since the epoch. */
  atMs: number;
  /** The same by the monotonic clock that the process had; undefined where nobody has read that. */
  monotonicMs?: number | undefined;
  /** What the process was found doing, if its event loop was blocked. */
  block?: Block | undefined;
  /** The end of its standard error, where no `worker.exit` has it. */
  lastWords?: string | undefined;
}

/** Of the spans in flight at a death: the one whose code was running, and one of the others. */
export type Role = 'culprit' | 'victim';

/**
 * The entry as a `scope_spans` field of its own: status ERROR, `error.type`, an event, and the death as its
 * end.
 */
export function encodeInterrupted(
  encoder: Encoder,
  { scope, fields: span, started }: InFlightEntry,
  death: Death,
  role?: Role,
): void {
  encoder.tag(tags(ResourceSpans).scopeSpans);
  const scopeSpans = encoder.begin();
  encoder.raw(scope);
  encoder.tag(tags(ScopeSpans).spans);
  const message = encoder.begin();
  encoder.raw(span);
  const endNanos = endOf(startOf(span), started, death);
  time(encoder, SPAN.endTimeUnixNano, endNanos);
  encoder.attribute(SPAN.attributes, ERROR_TYPE, WORKER_EXIT);
  encoder.attribute(SPAN.attributes, INTERRUPTED, true);
  if (death.id !== undefined) encoder.attribute(SPAN.attributes, DEATH_ID, death.id);
  if (role !== undefined && death.block !== undefined) encodeRole(encoder, role, death.block);
  encoder.attribute(SPAN.attributes, EXIT_CAUSE, death.cause ?? 'unknown');
  encoder.tag(SPAN.events);
  const event = encoder.begin();
  time(encoder, EVENT.timeUnixNano, endNanos);
  encoder.stringField(EVENT.name, EXIT_EVENT);
  encoder.attribute(EVENT.attributes, EXIT_CAUSE, death.cause ?? 'unknown');
  if (typeof death.code === 'number') encoder.attribute(EVENT.attributes, PROCESS_EXIT_CODE, death.code);
  if (death.signal) encoder.attribute(EVENT.attributes, EXIT_SIGNAL, death.signal);
  encoder.attributes(EVENT.attributes, exitExceptionAttributes(death.record));
  encoder.end(event);
  if (death.lastWords !== undefined) encodeLastWords(encoder, endNanos, death.lastWords);
  encoder.tag(SPAN.status);
  const status = encoder.begin();
  encoder.stringField(STATUS.message, describe(death));
  encoder.tag(STATUS.code);
  encoder.varint(STATUS_ERROR);
  encoder.end(status);
  encoder.end(message);
  encoder.end(scopeSpans);
}

function encodeLastWords(encoder: Encoder, atNanos: bigint, text: string): void {
  encoder.tag(SPAN.events);
  const event = encoder.begin();
  time(encoder, EVENT.timeUnixNano, atNanos);
  encoder.stringField(EVENT.name, LAST_WORDS);
  encoder.attribute(EVENT.attributes, LAST_WORDS_TEXT, text);
  encoder.end(event);
}

function encodeRole(encoder: Encoder, role: Role, block: Block): void {
  encoder.attribute(SPAN.attributes, EXIT_ROLE, role);
  const { active } = block;
  if (role === 'culprit') {
    encoder.attributes(SPAN.attributes, blockAttributes(block));
    if (active?.name !== undefined && active.rootSpanId !== active.spanId) {
      encoder.attribute(SPAN.attributes, BLOCK_SPAN_NAME, active.name);
    }
  } else if (active !== undefined) {
    encoder.tag(SPAN.links);
    const link = encoder.begin();
    encoder.bytesField(LINK.traceId, Buffer.from(active.traceId, 'hex'));
    encoder.bytesField(LINK.spanId, Buffer.from(active.rootSpanId ?? active.spanId, 'hex'));
    encoder.end(link);
  }
}

function describe({ code, signal, block, record, cause }: Death): string {
  const when = ownEnd(record, cause ?? 'unknown') === undefined ? 'looked into before, it' : 'it';
  const found = block === undefined ? '' : `; ${when} ${block.state}`;
  if (signal) return `the worker was killed by ${signal}${found}`;
  if (typeof code === 'number') return `the worker exited with code ${code}${found}`;
  return `the worker died${found}`;
}

/**
 * The role of each span in flight at a death: none where nobody knows whose code was running.
 *
 * @returns by index of `entries`
 */
export function rolesOf(entries: readonly InFlightEntry[], { block, cause }: Death): readonly (Role | undefined)[] {
  const { stack, active } = block ?? {};
  if (active === undefined) {
    // The context of an exception may have been lost on its way.
    const known = stack !== undefined && cause !== 'uncaught_exception' && cause !== 'unhandled_rejection';
    return known ? entries.map(() => 'victim') : [];
  }
  const spans = entries.map(({ fields }) => decoded(fields));
  let culprit = spans.findIndex(({ spanId }) => spanId === (active.rootSpanId ?? active.spanId));
  // A local root that is no request: of its trace the innermost span is known, and in flight here the root
  // alone.
  if (culprit < 0) culprit = spans.findIndex(({ traceId }) => traceId === active.traceId);
  return entries.map((_, index) => (index === culprit ? 'culprit' : 'victim'));
}

function startOf(span: Uint8Array): bigint {
  return BigInt(decoded(span).startTimeUnixNano ?? 0);
}

function decoded(span: Uint8Array): Partial<OtlpSpan> {
  try {
    return decode(span, Span);
  } catch {
    // No span, which is found when all of it is checked.
    return {};
  }
}

/**
 * When the span ended: after its start by what a clock says that nobody sets, where it is known; else when
 * the death was, and not before the start.
 */
function endOf(startNanos: bigint, started: number, { atMs, monotonicMs }: Death): bigint {
  if (started !== 0 && monotonicMs !== undefined) {
    const elapsed = sinceWord(started, monotonicMs);
    // Up to half of the range: the death was seen before the span started, so to say, which is a moment's
    // doing.
    return startNanos + (elapsed < 2 ** 31 ? nanosOf(elapsed) : 0n);
  }
  const endNanos = nanosOf(atMs);
  return endNanos > startNanos ? endNanos : startNanos;
}

function nanosOf(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

function time(encoder: Encoder, tag: number, nanos: bigint): void {
  encoder.tag(tag);
  encoder.fixed64(nanos);
}
