/**
 * Which service calls which.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */

/** A service, or what services talk to. */
export interface MapNodeView {
  id: string;
  kind: 'service' | 'database' | 'queue' | 'external';
  name: string;
  /** That have sent spans. */
  processes: number;
  /** Requests that a service served; calls to what is none. */
  calls: number;
  rate: number;
  errors: number;
  p50Ms: number;
  p95Ms: number;
}

export interface MapCallView {
  /** Ids of nodes. */
  from: string;
  to: string;
  calls: number;
  rate: number;
  errors: number;
  /** As the caller measured it, where it did. */
  p50Ms: number;
  p95Ms: number;
  /** Fields and values that the traces with such a call have. */
  filter: [string, string][];
}

/** `GET /api/map`. */
export interface ServiceMapView {
  windowMs: number;
  /** As `RoutesView`'s. */
  sinceMs?: number | undefined;
  nodes: MapNodeView[];
  /** Nodes that are called too seldom to be among these. */
  hidden: number;
  calls: MapCallView[];
}
