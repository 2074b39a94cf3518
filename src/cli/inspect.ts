/**
 * `forktrace inspect`: what a journal holds, from its files alone. Nothing is changed, nobody needs to be
 * alive.
 *
 * @module
 */
import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { chunkLengthAt } from '../journal/chunk.js';
import { type JournalHeader, parseFileName } from '../journal/format.js';
import { type JournalFile, listJournal } from '../journal/list-journal.js';
import { isUnsound, type Unsound } from '../journal/open-file.js';
import { openSegment } from '../journal/segment-reader.js';
import { interruptedEntries, openTable } from '../journal/table-reader.js';
import { type TextOptions, type TextSpan, traceText } from '../viewer/text.js';
import { valueText } from '../wire/attribute-text.js';
import { ERROR_TYPE, HTTP_RESPONSE_STATUS_CODE, SERVICE_NAME, WORKER_EXIT } from '../wire/conventions.js';
import { decode } from '../wire/decode.js';
import type { Message } from '../wire/message.js';
import {
  Resource,
  ResourceLogs as ResourceLogsMessage,
  ResourceSpans as ResourceSpansMessage,
  ScopeSpans as ScopeSpansMessage,
  Span,
} from '../wire/otlp.js';
import type { KeyValue, OtlpLogRecord, OtlpResource, OtlpScope, OtlpSpan } from '../wire/otlp-json.js';
import { type LoggedLine, logLine } from './log-line.js';

/** One span of a journal: OTLP/JSON, and where it comes from. */
export interface InspectedSpan {
  /** It had started and not ended when the files were last written. */
  inFlight: boolean;
  /** Already delivered by the shipper. */
  shipped: boolean;
  writer: { id: string; pid: number; slot: number | undefined };
  resource: OtlpResource;
  scope: OtlpScope;
  span: OtlpSpan;
}

/** One log record of a journal, likewise. */
export interface InspectedLog extends Omit<InspectedSpan, 'inFlight' | 'span'> {
  logRecord: OtlpLogRecord;
}

const READ_BYTES = 1024 * 1024;

/**
 * All spans and log records of a journal file, or of all files of a directory; what is not sound is said in
 * its place.
 */
export function* inspectJournal(path: string): Generator<InspectedSpan | InspectedLog | Unsound> {
  const files = filesAt(path);
  if (files.length === 0 && !isDirectory(path)) yield { path, unsound: 'foreign' };
  for (const file of files) {
    if (file.kind === 'in-flight') yield* tableSpans(file);
    else yield* segmentItems(file);
  }
}

/** One line of JSON per span or log record, or per thing that is not sound. */
export function* inspectAsJson(path: string): Generator<string> {
  for (const found of inspectJournal(path)) yield `${JSON.stringify(found)}\n`;
}

/**
 * A tree per trace, then the log records in order of time, then what is not sound. Holds the whole journal in
 * memory.
 */
export function* inspectAsTree(path: string, options: TextOptions = {}): Generator<string> {
  const traces = new Map<string, TextSpan[]>();
  const logs: LoggedLine[] = [];
  const unsound: string[] = [];
  for (const found of inspectJournal(path)) {
    if (isUnsound(found)) {
      unsound.push(`${found.path}: ${found.unsound}\n`);
      continue;
    }
    if ('logRecord' in found) {
      logs.push(loggedLine(found));
      continue;
    }
    const span = textSpan(found);
    const trace = traces.get(span.traceId);
    if (trace === undefined) traces.set(span.traceId, [span]);
    else trace.push(span);
  }
  for (const spans of traces.values()) yield traceText(spans, options);
  for (const log of logs.sort((a, b) => a.timeMs - b.timeMs)) yield `${logLine(log)}\n`;
  yield* unsound;
}

function filesAt(path: string): JournalFile[] {
  if (isDirectory(path)) return listJournal(path);
  const name = basename(path);
  const parsed = parseFileName(name);
  return parsed === undefined ? [] : [{ path, name, ...parsed }];
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function* segmentItems(file: JournalFile): Generator<InspectedSpan | InspectedLog | Unsound> {
  const segment = openSegment(file, true);
  if (isUnsound(segment)) {
    yield segment;
    return;
  }
  try {
    const { committed, shipped, cut } = segment.state();
    const source = sourceOf(segment.header);
    for (let from = 0; from < committed; ) {
      const { bytes, next, corrupt } = segment.read(from, committed, READ_BYTES);
      if (segment.isRefilled()) return;
      for (let at = 0; at < bytes.length; ) {
        const end = at + chunkLengthAt(bytes, at, bytes.length, segment.trailer);
        const where = { shipped: from + at < shipped, ...source };
        const items =
          file.kind === 'logs'
            ? logsOfChunk(bytes, at, end - segment.trailer, where)
            : spansOfChunk(bytes, at, end - segment.trailer, where);
        if (items === undefined) yield { path: file.path, unsound: 'corrupt' };
        else yield* items;
        at = end;
      }
      if (corrupt) yield { path: file.path, unsound: 'corrupt' };
      from = corrupt ? segment.soundAfter(next, committed) : next;
    }
    if (cut) yield { path: file.path, unsound: 'truncated' };
  } finally {
    segment.close();
  }
}

/** A chunk is a ResourceSpans or ResourceLogs message with nothing else in it. @returns undefined for none */
function spansOfChunk(bytes: Uint8Array, start: number, end: number, where: Where): InspectedSpan[] | undefined {
  return decoded(bytes, ResourceSpansMessage, start, end)?.scopeSpans?.flatMap(({ scope = {}, spans = [] }) =>
    spans.map((span) => ({ inFlight: false, ...where, scope, span })),
  );
}

function logsOfChunk(bytes: Uint8Array, start: number, end: number, where: Where): InspectedLog[] | undefined {
  return decoded(bytes, ResourceLogsMessage, start, end)?.scopeLogs?.flatMap(({ scope = {}, logRecords = [] }) =>
    logRecords.map((logRecord) => ({ ...where, scope, logRecord })),
  );
}

type Where = Pick<InspectedSpan, 'shipped' | 'writer' | 'resource'>;

function* tableSpans(file: JournalFile): Generator<InspectedSpan | Unsound> {
  const table = openTable(file);
  if (isUnsound(table)) {
    yield table;
    return;
  }
  try {
    const source = sourceOf(table.header);
    const { entries, unsound } = table.entries();
    for (const entry of interruptedEntries(entries, (sequence) => committedOf(file, sequence))) {
      const scope = scopeOf(entry.scope);
      const span = decoded(entry.fields, Span);
      if (span === undefined || scope === undefined) yield { path: file.path, unsound: 'corrupt' };
      else yield { inFlight: true, shipped: false, ...source, scope, span };
    }
    for (let i = 0; i < unsound; i++) yield { path: file.path, unsound: 'corrupt' };
  } finally {
    table.close();
  }
}

function committedOf(table: JournalFile, sequence: number): number | undefined {
  const name = `${table.writerId}-${sequence}.segment`;
  const segment = openSegment(
    { path: join(dirname(table.path), name), name, kind: 'segment', writerId: table.writerId, sequence },
    true,
  );
  if (isUnsound(segment)) return undefined;
  const { committed } = segment.state();
  const isShipped = segment.isRefilled();
  segment.close();
  return isShipped ? undefined : committed;
}

/** An entry's scope is a ScopeSpans message without its spans. */
function scopeOf(field: Uint8Array): OtlpScope | undefined {
  const message = decoded(field, ScopeSpansMessage);
  return message && (message.scope ?? {});
}

function sourceOf({ writer, resource }: JournalHeader): Pick<InspectedSpan, 'writer' | 'resource'> {
  return {
    writer: { id: writer.id, pid: writer.pid, slot: writer.slot },
    resource: decoded(resource, Resource) ?? {},
  };
}

function decoded<Json>(bytes: Uint8Array, message: Message<Json>, start?: number, end?: number): Json | undefined {
  try {
    return decode(bytes, message, start, end);
  } catch {
    return undefined;
  }
}

function textSpan({ inFlight, writer, resource, span }: InspectedSpan): TextSpan {
  const startMs = milliseconds(span.startTimeUnixNano);
  const service = textOf(resource.attributes, SERVICE_NAME) ?? 'unknown_service';
  const status = Number(attribute(span.attributes, HTTP_RESPONSE_STATUS_CODE)?.intValue);
  return {
    traceId: span.traceId ?? '',
    spanId: span.spanId ?? '',
    parentSpanId: span.parentSpanId ?? '',
    name: span.name ?? '',
    startMs,
    endMs: Math.max(startMs, milliseconds(span.endTimeUnixNano)),
    error: span.status?.code === 2,
    interrupted: inFlight || textOf(span.attributes, ERROR_TYPE) === WORKER_EXIT,
    process: writer.slot === undefined ? `${service} pid ${writer.pid}` : `${service} slot ${writer.slot}`,
    ...(Number.isNaN(status) ? {} : { httpStatus: status }),
  };
}

function loggedLine({ writer, resource, logRecord }: InspectedLog): LoggedLine {
  const { timeUnixNano, observedTimeUnixNano, severityNumber = 0, severityText = '', body } = logRecord;
  return {
    timeMs: milliseconds(timeUnixNano ?? observedTimeUnixNano),
    severity: severityNumber,
    severityText,
    body: valueText(body),
    attributes: logRecord.attributes ?? [],
    traceId: logRecord.traceId ?? '',
    process: { service: textOf(resource.attributes, SERVICE_NAME) ?? 'unknown_service', ...writer },
  };
}

function attribute(attributes: KeyValue[] | undefined, key: string): KeyValue['value'] {
  return attributes?.find((entry) => entry.key === key)?.value;
}

function textOf(attributes: KeyValue[] | undefined, key: string): string | undefined {
  return attribute(attributes, key)?.stringValue;
}

function milliseconds(nanoseconds: string | undefined): number {
  return Number(BigInt(nanoseconds ?? 0) / 1000n) / 1000;
}
