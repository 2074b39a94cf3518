/**
 * The last log records of a dead writer, from its segments, whether they have been shipped or not.
 *
 * @module
 */
import type { LogInBrief } from '../forensics/in-brief.js';
import { chunkLengthAt } from '../journal/chunk.js';
import type { SegmentReader } from '../journal/segment-reader.js';
import { attributesText, valueText } from '../wire/attribute-text.js';
import { decode } from '../wire/decode.js';
import { ResourceLogs } from '../wire/otlp.js';
import type { OtlpLogRecord } from '../wire/otlp-json.js';

const SHOWN = 20;
/** A log record of megabytes is no text for one screen. */
const TEXT_LENGTH = 1024;
const READ_BYTES = 256 * 1024;
/** One that is larger is left out: it could have a million attributes, each of which takes memory. */
const RECORD_BYTES = 1024 * 1024;
/** Of one segment; much that cannot be read is all that is said of it. */
const SEARCHES = 64;

/**
 * @param segment of log records
 * @param before those of the writer's segments before that
 * @returns the newest last
 */
export function lastLogsOf(segment: SegmentReader, before: readonly LogInBrief[] = []): LogInBrief[] {
  // Each in bytes of its own, decoded only if it is one of the last.
  let chunks: Uint8Array[] = [];
  try {
    const { committed } = segment.state();
    for (let from = 0, searches = 0; from < committed && searches < SEARCHES; ) {
      const { bytes, next, corrupt } = segment.read(from, committed, READ_BYTES);
      if (bytes.length <= RECORD_BYTES) chunks = [...chunks, ...lastChunks(bytes, segment.trailer)].slice(-SHOWN);
      from = corrupt ? segment.soundAfter(next, committed) : next;
      if (corrupt) searches++;
    }
  } catch {
    // Not to be read from here on: what was read stands.
  }
  return [...before, ...chunks.flatMap(recordsOf)].slice(-SHOWN);
}

function lastChunks(bytes: Uint8Array, trailer: number): Uint8Array[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at += chunkLengthAt(bytes, at, bytes.length, trailer)) starts.push(at);
  const ends = [...starts.slice(1), bytes.length];
  return starts.map((start, i) => bytes.subarray(start, ends[i]! - trailer)).slice(-SHOWN);
}

function recordsOf(chunk: Uint8Array): LogInBrief[] {
  try {
    // A chunk is a ResourceLogs message with nothing else in it.
    return (decode(chunk, ResourceLogs).scopeLogs ?? []).flatMap(({ logRecords = [] }) => logRecords.map(inBrief));
  } catch {
    return [];
  }
}

function inBrief(record: OtlpLogRecord): LogInBrief {
  return {
    timeMs: Number(record.timeUnixNano ?? record.observedTimeUnixNano ?? 0) / 1e6,
    severity: record.severityNumber ?? 0,
    severityText: cut(record.severityText ?? ''),
    body: cut(valueText(record.body)),
    attributes: cut(attributesText(record.attributes)),
    traceId: record.traceId ?? '',
    spanId: record.spanId ?? '',
  };
}

function cut(text: string): string {
  return text.length > TEXT_LENGTH ? `${text.slice(0, TEXT_LENGTH - 1)}…` : text;
}
