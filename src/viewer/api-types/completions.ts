/**
 * Completion of a filter while it is typed.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */

/** `GET /api/complete`: what a filter may go on with. */
export interface CompletionView {
  /** Keys of attributes, of a sample of the spans; the most frequent first. */
  keys: string[];
  /** Values of `field`, likewise. */
  values: string[];
}
