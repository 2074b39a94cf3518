import type { ComponentChildren } from 'preact';
import type { SpanRowView, TraceView } from '../api-types/trace.ts';
import { counted, formatDuration } from '../format.ts';
import { condition } from '../views/filter-language.ts';
import { clock } from './clock.ts';
import { filterLink } from './location.ts';
import { HttpStatus, OutcomeMark } from './marks.tsx';

/** Processes that are named; the others are counted. */
const MOST_PROCESSES = 12;

/** What a trace is: its name, its figures and its processes. */
export function TraceHead({
  trace,
  failing,
  logs,
  onFailing,
  children,
}: {
  trace: TraceView;
  failing: SpanRowView[];
  /** How many log records it has. */
  logs: number;
  onFailing: () => void;
  /** The tools below. */
  children: ComponentChildren;
}) {
  return (
    <div class="trace-head">
      <h1>
        <OutcomeMark outcome={trace.outcome} />{' '}
        <span class="text" title={trace.name}>
          {trace.name}
        </span>{' '}
        <HttpStatus status={trace.rows[0]!.httpStatus} />
      </h1>
      <p class="facts">
        <b class="num">{formatDuration(trace.durationMs)}</b>
        <span>{counted(trace.rows.length, 'span')}</span>
        {failing.length > 0 && (
          <button type="button" class="link errors" onClick={onFailing} title="Next failing span (e)">
            {failing.length} failing
          </button>
        )}
        {logs > 0 && (
          <a href={filterLink([condition('trace', ':', trace.id)], '/logs')}>{counted(logs, 'log record')}</a>
        )}
        <span class="muted">{clock(trace.startMs)}</span>
        <span class="mono muted wide">{trace.id}</span>
      </p>
      <ul class="legend" aria-label="Processes">
        {trace.processes.slice(0, MOST_PROCESSES).map((process, index) => (
          <li key={process.instanceId}>
            <span class={`dot c${index % 8}`} />
            {process.service}
            {process.slot !== undefined && <b> slot {process.slot}</b>}
            {process.incarnation !== undefined && process.incarnation > 0 && (
              <span class="muted">incarnation {process.incarnation}</span>
            )}
            {process.pid !== undefined && <span class="muted">pid {process.pid}</span>}
          </li>
        ))}
        {trace.processes.length > MOST_PROCESSES && (
          <li class="muted">and {trace.processes.length - MOST_PROCESSES} more</li>
        )}
      </ul>
      {children}
    </div>
  );
}
