/**
 * A process, in every list of the viewer.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */

/** A process, as short as it is unmistakable. */
export interface ProcessView {
  service: string;
  slot?: number;
  incarnation?: number;
  pid?: number;
  instanceId: string;
  host: string;
}
