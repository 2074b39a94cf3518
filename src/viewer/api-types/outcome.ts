/**
 * How a span came out, or all of a trace.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */

export type Outcome = 'ok' | 'error' | 'interrupted';
