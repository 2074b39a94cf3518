/**
 * The journal as the tracer sees it: the seam between `tracer/` (which encodes) and the journal's writer (which keeps).
 * Nothing here throws: what cannot be kept is counted by the implementation.
 *
 * @module
 */

/** No free entry in the in-flight table, or no table. */
export const NO_ENTRY = -1;

/** Where encoded spans go. Every `bytes` is a buffer that the caller reuses: it is copied before the call returns. */
export interface SpanLog {
  /**
   * Keep an ended span that has no entry in the in-flight table.
   * `bytes[start..end)` is one whole `ResourceSpans.scope_spans` field (tag 0x12, length, ScopeSpans message).
   */
  append(bytes: Uint8Array, start: number, end: number): void;

  /**
   * A local-root span has started. `bytes[start..end)` is the `ScopeSpans.scope` field (tag 0x0a, length, scope), then
   * the fields of the Span message known so far, bare: [scopeEnd..end).
   *
   * @returns the entry to pass to {@link amend} and {@link finish}, or {@link NO_ENTRY}
   */
  begin(bytes: Uint8Array, start: number, scopeEnd: number, end: number): number;

  /** More bare Span fields for an entry; ignored where they do not fit. Protobuf lets a later field win over an earlier one. */
  amend(entry: number, bytes: Uint8Array, start: number, end: number): void;

  /**
   * The span of `entry` has ended: as {@link append}, and the entry is free again. A reader that finds the process dead at
   * any point of this call sees either the ended span or the entry, never both and never neither.
   */
  finish(entry: number, bytes: Uint8Array, start: number, end: number): void;

  /** The span of `entry` will not be kept after all. */
  discard(entry: number): void;
}
