/**
 * The journal as the tracer sees it: the seam between `tracer/` (which encodes) and the journal's writer
 * (which keeps). Nothing here throws: what cannot be kept is counted by the implementation.
 *
 * A *scope* is the fields of a ScopeSpans message that come before its spans: `scope`, and `schema_url` where
 * there is one.
 * *Span fields* are bare fields of the Span message, without a tag or length of the message around them.
 *
 * @module
 */
import type { Memory } from '../wire/memory.js';

/** No free entry in the in-flight table, or no table. */
export const NO_ENTRY = -1;

/** Where span fields may be written: `memory` from `start` to `end`. */
export interface Room {
  memory: Memory;
  start: number;
  end: number;
}

/**
 * Where encoded spans go. Every `bytes` is a buffer that the caller reuses, or the log's own memory: it is
 * copied before the call returns.
 */
export interface SpanLog {
  /**
   * Room for the fields of an ended span that has no entry, at the place where the log keeps it: half of
   * {@link append} is copying. What has been written there is part of the log once it is committed, and is
   * nothing before. No other call may come between this one and {@link commit}; a span that does not fit is
   * given up and appended.
   *
   * @returns the same object for every call; undefined when the log has little room at hand
   */
  reserve(scope: Memory): Room | undefined;

  /** Keep the span whose fields have been written to the room last reserved, up to `end`. */
  commit(end: number): void;

  /** Keep an ended span that has no entry: the fields in `bytes[start..end)`. */
  append(scope: Memory, bytes: Uint8Array, start: number, end: number): void;

  /**
   * A local-root span has started; `bytes[start..end)` are the fields known so far.
   *
   * @param reading the `performance.now()` at which it started: of one that is interrupted, the duration is
   * told by this clock; NaN for a start that the program gave
   * @returns the entry to pass to the calls below, or {@link NO_ENTRY} where there is no room for the whole
   * of it
   */
  begin(scope: Memory, bytes: Uint8Array, start: number, end: number, reading?: number): number;

  /**
   * Room for the fields of a span that has started, in the entry that it will have: half of {@link begin} is
   * copying. As with {@link reserve}, nothing has happened before {@link beginReserved}, and no other call
   * may come between the two; a span that does not fit is given to {@link begin}.
   *
   * @returns the same object for every call; undefined when no entry is at hand
   */
  reserveEntry(scope: Memory): Room | undefined;

  /**
   * {@link begin} for the span whose fields have been written to the room last reserved, up to `end`.
   */
  beginReserved(end: number, reading: number): number;

  /**
   * Room for more fields of an entry, behind those that it has. Nothing has happened before they are given to
   * {@link amend} or {@link finish}, as the bytes of `memory` from `start` on: those calls then copy them no
   * more. No other call may come in between.
   *
   * @returns the same object for every call; undefined when there is little room
   */
  reserveMore(entry: number): Room | undefined;

  /**
   * More fields for an entry. Protobuf lets a later field win over an earlier one.
   *
   * @returns false where they do not fit: the entry is as it was
   */
  amend(entry: number, bytes: Uint8Array, start: number, end: number): boolean;

  /**
   * An answer is about to leave: what has been kept so far, and what is known of `entry`, outlives the
   * process from now on, however that ends.
   */
  settle(entry: number): void;

  /**
   * The span of `entry` has ended: its fields are those of the entry, then `bytes[start..end)`; or only the
   * latter, when `whole` is set. The entry is free again. A reader that finds the process dead at any point
   * of this call sees either the ended span or the entry, never both and never neither.
   */
  finish(entry: number, bytes: Uint8Array, start: number, end: number, whole: boolean): void;

  /**
   * The span of `entry` has ended and is not to be kept: a span processor has left it out. The entry is free
   * again.
   */
  drop(entry: number): void;
}
