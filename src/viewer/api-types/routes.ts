/**
 * Requests by route.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */
import type { Outcome } from './outcome.js';

export interface RouteWorkerView {
  service: string;
  slot?: number;
  requests: number;
  errors: number;
  p50Ms: number;
  p95Ms: number;
}

export interface RouteExampleView {
  traceId: string;
  durationMs: number;
  startMs: number;
  httpStatus: number;
  outcome: Outcome;
}

export interface RouteView {
  service: string;
  method: string;
  route: string;
  requests: number;
  rate: number;
  errors: number;
  interrupted: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Requests by duration, in buckets of a quarter decade from 0.1 ms. */
  histogram: number[];
  workers: RouteWorkerView[];
  slowest: RouteExampleView[];
  failing: RouteExampleView[];
}

/** `GET /api/routes`. */
export interface RoutesView {
  windowMs: number;
  /** From when on the traces are held that this counts, when that is not all of the window. */
  sinceMs?: number | undefined;
  routes: RouteView[];
}
