/**
 * How a process ended, as spans tell it: the coordinator's `worker.exit`, and the interrupted spans of the
 * dead process.
 *
 * @module
 */
import {
  DEATH_ID,
  EXIT_CAUSE,
  EXIT_EVENT,
  EXIT_PLANNED,
  EXIT_REQUESTS_INTERRUPTED,
  EXIT_SIGNAL,
  EXIT_SPANS_RECOVERED,
  PROCESS_EXIT_CODE,
} from '../../wire/conventions.js';
import { decode } from '../../wire/decode.js';
import { Span } from '../../wire/otlp.js';
import type { KeyValue } from '../../wire/otlp-json.js';
import { attributeNumber, scalar } from './process-resource.js';
import type { StoredSpan } from './trace.js';

export interface Exit {
  atMs: number;
  /** One of the fixed list of exit causes. */
  cause: string | undefined;
  code: number | undefined;
  signal: string | undefined;
  planned: boolean | undefined;
  spansRecovered: number | undefined;
  requestsInterrupted: number | undefined;
  traceId: string;
  deathId: string | undefined;
}

/** As the coordinator tells it. */
export function exitOfWorkerSpan({ startMs }: StoredSpan, attributes: KeyValue[], traceId: string): Exit {
  return {
    // The span ends when the journal of the dead has been finished.
    atMs: startMs,
    cause: attributeText(attributes, EXIT_CAUSE),
    code: attributeNumber(attributes, PROCESS_EXIT_CODE),
    signal: attributeText(attributes, EXIT_SIGNAL),
    planned: flag(attributes, EXIT_PLANNED),
    spansRecovered: attributeNumber(attributes, EXIT_SPANS_RECOVERED),
    requestsInterrupted: attributeNumber(attributes, EXIT_REQUESTS_INTERRUPTED),
    traceId,
    deathId: attributeText(attributes, DEATH_ID),
  };
}

/**
 * An interrupted span ends at its process's death. The coordinator may know more, and says it in its own
 * span: that stays.
 *
 * @param known what has been told before
 */
export function exitOfInterruptedSpan(known: Exit | undefined, span: StoredSpan, traceId: string): Exit {
  if (known?.planned !== undefined) return known;
  const { events = [], attributes: ofSpan = [] } = decode(span.bytes, Span);
  const attributes = events.find((event) => event.name === EXIT_EVENT)?.attributes ?? [];
  return {
    atMs: span.endMs,
    cause: attributeText(attributes, EXIT_CAUSE) ?? known?.cause,
    code: attributeNumber(attributes, PROCESS_EXIT_CODE) ?? known?.code,
    signal: attributeText(attributes, EXIT_SIGNAL) ?? known?.signal,
    planned: undefined,
    spansRecovered: undefined,
    requestsInterrupted: undefined,
    traceId: known?.traceId ?? traceId,
    deathId: attributeText(ofSpan, DEATH_ID) ?? known?.deathId,
  };
}

/** Undefined for an empty text, too. */
export function attributeText(attributes: KeyValue[], key: string): string | undefined {
  const value = scalar(attributes.find((attribute) => attribute.key === key)?.value);
  return value === undefined || value === '' ? undefined : String(value);
}

function flag(attributes: KeyValue[], key: string): boolean | undefined {
  const value = scalar(attributes.find((attribute) => attribute.key === key)?.value);
  return typeof value === 'boolean' ? value : undefined;
}
