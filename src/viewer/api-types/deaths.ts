/**
 * Deaths that are remembered on this machine.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */
import type { LogInBrief, SpanInBrief } from '../../forensics/in-brief.js';
import type { LastVitals } from '../../forensics/vitals-table.js';

/** One of `GET /api/deaths`: what is remembered of deaths on this machine, the newest first. */
export interface DeathRowView {
  id: string;
  atMs: number;
  service: string;
  pid: number;
  slot?: number | undefined;
  cause: string;
  code: number | null;
  signal: string | null;
  inFlightTotal: number;
  /** The request whose code was running. */
  culprit?: string | undefined;
}

/** `GET /api/new-deaths?since=`: how many deaths there have been since then. */
export interface NewDeathsView {
  count: number;
}

/** `GET /api/deaths/<id>`. */
export interface DeathView extends DeathRowView {
  record?: { exceptionType?: string | undefined; message?: string | undefined; stack?: string | undefined } | undefined;
  /** What it was doing. */
  block?: { state: string; stack?: string | undefined } | undefined;
  lastWords?: string | undefined;
  /** The newest last. */
  lastLogs?: LogInBrief[] | undefined;
  /** Paths of files on this machine. */
  heapSnapshots?: string[] | undefined;
  vitals?: LastVitals | undefined;
  inFlight: (SpanInBrief & { role?: 'culprit' | 'victim' | undefined })[];
  lastSpans: SpanInBrief[];
  slowestSpans: SpanInBrief[];
}
