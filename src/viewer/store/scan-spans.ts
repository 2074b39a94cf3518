/**
 * What lists show of each span of a trace export request, and where the span is: the rest of it is decoded
 * when somebody looks at it. That takes half of the time of decoding all of it.
 *
 * @module
 */
import { check } from '../../wire/check.js';
import {
  HTTP_REQUEST_METHOD,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
  INTERRUPTED,
  URL_PATH,
} from '../../wire/conventions.js';
import { within } from '../../wire/decode.js';
import { tags } from '../../wire/message.js';
import * as otlp from '../../wire/otlp.js';
import { ProtobufReader } from '../../wire/protobuf-reader.js';

/** What the store needs of a span to list it. */
export interface ScannedSpan {
  traceId: string;
  spanId: string;
  /** '' when there is none. */
  parentSpanId: string;
  name: string;
  kind: number;
  /** Milliseconds since 1970, to about a quarter of a microsecond. */
  startMs: number;
  endMs: number;
  error: boolean;
  /** Its process died before it ended: `forktrace.interrupted`. */
  interrupted: boolean;
  method: string;
  route: string;
  path: string;
  httpStatus: number;
  eventCount: number;
}

/** A message: a place in the request, or in memory of its own. */
export interface MessageBytes {
  bytes: Buffer;
  from: number;
  to: number;
}

/**
 * Called for each span, with where its Span, Resource and InstrumentationScope messages are; empty when there
 * is none.
 */
export type SpanVisitor = (
  span: ScannedSpan,
  message: MessageBytes,
  resource: MessageBytes,
  scope: MessageBytes,
) => void;

const RESOURCE_SPANS = tags(otlp.TracesRequest).resourceSpans;
const { resource: RESOURCE, scopeSpans: SCOPE_SPANS } = tags(otlp.ResourceSpans);
const { scope: SCOPE, spans: SPANS } = tags(otlp.ScopeSpans);
const SPAN = tags(otlp.Span);
const STATUS_CODE = tags(otlp.Status).code;
const { key: KEY, value: VALUE } = tags(otlp.KeyValue);
const ANY = tags(otlp.AnyValue);

const STATUS_ERROR = 2;
const NO_PARENT = '0000000000000000';

/**
 * @param visit called only when all of the request has been found sound
 * @throws MalformedProtobuf
 */
export function scanSpans(request: Buffer, visit: SpanVisitor): void {
  check(request, otlp.TracesRequest);
  const reader = new ProtobufReader(request);
  eachField(reader, (tag) => {
    if (tag !== RESOURCE_SPANS) return false;
    scanGroup(reader, RESOURCE, SCOPE_SPANS, (resource) => {
      scanGroup(reader, SCOPE, SPANS, (scope) => {
        within(reader, () => {
          const message = { bytes: request, from: reader.position, to: reader.end };
          visit(scanSpan(reader), message, resource, scope);
        });
      });
    });
    return true;
  });
}

/** Has `read` read the fields up to the end; those that it leaves, by returning false, are skipped. */
function eachField(reader: ProtobufReader, read: (tag: number) => boolean): void {
  while (reader.position < reader.end) {
    const tag = reader.tag();
    if (!read(tag)) reader.skip(tag);
  }
}

/**
 * A message with one `head`, wherever in it that is written, and many `members`: calls `visit` at each of
 * these.
 */
function scanGroup(reader: ProtobufReader, head: number, members: number, visit: (head: MessageBytes) => void): void {
  within(reader, () => {
    const { bytes, position: start } = reader;
    let found: MessageBytes | undefined;
    eachField(reader, (tag) => {
      if (tag !== head) return false;
      const to = reader.lengthEnd();
      found = merged(found, { bytes, from: reader.position, to });
      reader.position = to;
      return true;
    });
    const before = found ?? { bytes, from: start, to: start };
    reader.position = start;
    eachField(reader, (tag) => {
      if (tag !== members) return false;
      visit(before);
      return true;
    });
  });
}

/** A message that is written in two parts is both of them, one after the other. */
function merged(first: MessageBytes | undefined, second: MessageBytes): MessageBytes {
  if (first === undefined) return second;
  const bytes = Buffer.concat([first, second].map((part) => part.bytes.subarray(part.from, part.to)));
  return { bytes, from: 0, to: bytes.length };
}

function scanSpan(reader: ProtobufReader): ScannedSpan {
  const span: ScannedSpan = {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    name: '',
    kind: 0,
    startMs: 0,
    endMs: 0,
    error: false,
    interrupted: false,
    method: '',
    route: '',
    path: '',
    httpStatus: 0,
    eventCount: 0,
  };
  while (reader.position < reader.end) {
    const tag = reader.tag();
    switch (tag) {
      case SPAN.traceId:
        span.traceId = text(reader, 'hex');
        break;
      case SPAN.spanId:
        span.spanId = text(reader, 'hex');
        break;
      case SPAN.parentSpanId:
        span.parentSpanId = text(reader, 'hex');
        break;
      case SPAN.name:
        span.name = text(reader, 'utf8');
        break;
      case SPAN.kind:
        span.kind = reader.uint32();
        break;
      case SPAN.startTimeUnixNano:
        span.startMs = milliseconds(reader);
        break;
      case SPAN.endTimeUnixNano:
        span.endMs = milliseconds(reader);
        break;
      case SPAN.attributes:
        scanAttribute(reader, span);
        break;
      case SPAN.status:
        scanStatus(reader, span);
        break;
      case SPAN.events:
        span.eventCount++;
        reader.skip(tag);
        break;
      default:
        reader.skip(tag);
    }
  }
  if (span.traceId === '') reader.fail('a span without a trace id');
  if (span.spanId === '') reader.fail('a span without a span id');
  if (span.parentSpanId === NO_PARENT) span.parentSpanId = '';
  return span;
}

function text(reader: ProtobufReader, encoding: 'utf8' | 'hex'): string {
  const end = reader.lengthEnd();
  const start = reader.position;
  reader.position = end;
  return reader.bytes.toString(encoding, start, end);
}

function milliseconds(reader: ProtobufReader): number {
  const at = reader.advance(8);
  const { bytes } = reader;
  // Two 32-bit halves: four times faster than a BigInt. 2^32 ns are 4,294 ms and 967,296 ns: summed apart,
  // whole milliseconds stay whole.
  const high = bytes.readUInt32LE(at + 4);
  return high * 4294 + (high * 967_296 + bytes.readUInt32LE(at)) / 1e6;
}

function scanStatus(reader: ProtobufReader, span: ScannedSpan): void {
  const end = reader.lengthEnd();
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === STATUS_CODE) span.error = reader.uint32() === STATUS_ERROR;
    else reader.skip(tag);
  }
}

type Scalar = string | number | boolean | undefined;

/** What becomes of the attributes that lists show. */
const LISTED = new Map<string, (span: ScannedSpan, value: Scalar) => void>([
  [HTTP_ROUTE, (span, value) => (span.route = asText(value))],
  [HTTP_REQUEST_METHOD, (span, value) => (span.method = asText(value))],
  ['http.method', (span, value) => (span.method = asText(value))],
  [URL_PATH, (span, value) => (span.path = asText(value))],
  ['http.target', (span, value) => (span.path = asText(value))],
  [HTTP_RESPONSE_STATUS_CODE, (span, value) => (span.httpStatus = asNumber(value))],
  ['http.status_code', (span, value) => (span.httpStatus = asNumber(value))],
  [INTERRUPTED, (span, value) => (span.interrupted = value === true)],
]);

const asText = (value: Scalar) => (typeof value === 'string' ? value : '');
const asNumber = (value: Scalar) => (typeof value === 'number' ? value : 0);

function scanAttribute(reader: ProtobufReader, span: ScannedSpan): void {
  const end = reader.lengthEnd();
  const start = reader.position;
  let key = '';
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === KEY) key = text(reader, 'utf8');
    else reader.skip(tag);
  }
  const listed = LISTED.get(key);
  if (listed === undefined) return;
  // The value may be written before its key.
  reader.position = start;
  let value: Scalar;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === VALUE) value = scalar(reader, value);
    else reader.skip(tag);
  }
  listed(span, value);
}

/** A value that lists can show: of an AnyValue the last member that is set. */
function scalar(reader: ProtobufReader, earlier: Scalar): Scalar {
  let value = earlier;
  const end = reader.lengthEnd();
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case ANY.stringValue:
        value = text(reader, 'utf8');
        break;
      case ANY.boolValue:
        value = reader.varint() !== 0;
        break;
      case ANY.intValue:
        value = reader.varint();
        break;
      default:
        // A list or a double, or a field that nobody knows.
        if (otlp.AnyValue.byNumber[tag >>> 3] !== undefined) value = undefined;
        reader.skip(tag);
    }
  }
  return value;
}
