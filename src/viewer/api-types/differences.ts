/**
 * What sets some requests apart from the others of their route.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */

/** Something that selected requests have more often than the others. */
export interface DifferenceView {
  /** Of an attribute of a span or its resource, or `name` of a span. */
  key: string;
  operator: '=' | '>=';
  value: string;
  /** 0..1, of the selected requests and of the others. */
  share: number;
  restShare: number;
}

/** `GET /api/differences`: of one route the slow requests, or those that failed, against the others. */
export interface DifferencesView {
  /** A request that took so long is slow. */
  fromMs: number;
  selected: number;
  rest: number;
  /** The greatest first; none when one of both groups is too small to tell. */
  differences: DifferenceView[];
}
