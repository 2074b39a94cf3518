/**
 * Metrics over time.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */

export interface InstrumentView {
  name: string;
  /** UCUM, as sent. */
  unit: string;
  description: string;
  /** `other` is an exponential histogram or a summary: listed, not kept. */
  kind: 'gauge' | 'counter' | 'updown' | 'histogram' | 'summary' | 'other';
  series: number;
  /** Keys of what its series differ by. */
  attributes: string[];
  services: string[];
}

/** Charts that are shown before one asks for any, of instruments that are there. */
export interface PreparedView {
  title: string;
  charts: { title: string; name: string; stat?: MetricView['stat']; by?: string }[];
}

/** `GET /api/metrics`. */
export interface InstrumentsView {
  prepared: PreparedView[];
  /** By name. */
  instruments: InstrumentView[];
  /** Series that had to make room for others. */
  dropped: number;
  /** Time of the newest point that had to make room: before it, not all is there. */
  goneMs: number | undefined;
}

export interface MetricLineView {
  label: string;
  slot: number | undefined;
  /** At each of `times`; null is unknown. */
  values: (number | null)[];
}

/** `GET /api/metric?name=`: one instrument over time. */
export interface MetricView {
  name: string;
  unit: string;
  description: string;
  kind: InstrumentView['kind'];
  /** `value` of gauges, `rate` of counters; histograms have all but `value`. */
  stat: 'value' | 'rate' | 'p50' | 'p95' | 'p99' | 'mean' | 'total';
  perSecond: boolean;
  times: number[];
  lines: MetricLineView[];
  /** Lines with lower values that are not among these. */
  hidden: number;
}
