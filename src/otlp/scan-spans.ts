/**
 * One pass over a trace export request: checks every byte, and finds each span's place and what the lists show of it.
 * The rest of a span is decoded when somebody looks at it.
 *
 * @module
 */
import { checkMessage, expectWireType } from './decode.js';
import { BYTES, FIXED64, ProtobufReader, VARINT } from './protobuf-reader.js';
import { KeyValue, type Message, Resource, Scope, Span, Status } from './schema.js';

/** What the store needs of a span to list it; `from` and `to` are where its message is in the request. */
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
  from: number;
  to: number;
}

/** A place in the request. */
export interface ByteRange {
  from: number;
  to: number;
}

/** Called for each span, with where its Resource and its InstrumentationScope messages are; empty when there is none. */
export type SpanVisitor = (span: ScannedSpan, resource: ByteRange, scope: ByteRange) => void;

const RESOURCE_SPANS = (1 << 3) | BYTES;
const HEADER = (1 << 3) | BYTES;
const SCOPE_SPANS = (2 << 3) | BYTES;
const SPAN = (2 << 3) | BYTES;

const STATUS_ERROR = 2;

/**
 * @throws MalformedProtobuf; the spans before the malformed place have been visited by then
 */
export function scanSpans(bytes: Buffer, visit: SpanVisitor): void {
  const reader = new ProtobufReader(bytes, 0, bytes.length);
  while (reader.position < reader.end) {
    const tag = reader.tag();
    if (tag === RESOURCE_SPANS) within(reader, scanResourceSpans, visit);
    else reader.skip(tag & 7);
  }
}

function within<Argument>(
  reader: ProtobufReader,
  scan: (reader: ProtobufReader, argument: Argument) => void,
  argument?: Argument,
): void {
  const outer = reader.end;
  reader.end = reader.lengthEnd();
  scan(reader, argument as Argument);
  reader.end = outer;
}

function scanResourceSpans(reader: ProtobufReader, visit: SpanVisitor): void {
  const resource = findHeader(reader, Resource);
  while (reader.position < reader.end) {
    const tag = reader.tag();
    if (tag === SCOPE_SPANS) within(reader, scanScopeSpans, (span, scope) => visit(span, resource, scope));
    else reader.skip(tag & 7);
  }
}

function scanScopeSpans(reader: ProtobufReader, visit: (span: ScannedSpan, scope: ByteRange) => void): void {
  const scope = findHeader(reader, Scope);
  while (reader.position < reader.end) {
    const tag = reader.tag();
    if (tag === SPAN) within(reader, scanOneSpan, (span) => visit(span, scope));
    else reader.skip(tag & 7);
  }
}

function scanOneSpan(reader: ProtobufReader, visit: (span: ScannedSpan) => void): void {
  visit(scanSpan(reader));
}

/** Checks and places field 1, the resource or scope of what follows; it may be written after that. Leaves `reader` where it was. */
function findHeader(reader: ProtobufReader, message: Message): ByteRange {
  const start = reader.position;
  const header = { from: start, to: start };
  while (reader.position < reader.end) {
    const tag = reader.tag();
    if (tag === HEADER) {
      within(reader, () => {
        header.from = reader.position;
        header.to = reader.end;
        checkMessage(reader, message, 2);
      });
    } else reader.skip(tag & 7);
  }
  reader.position = start;
  return header;
}

function scanSpan(reader: ProtobufReader): ScannedSpan {
  const { bytes } = reader;
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
    from: reader.position,
    to: reader.end,
  };
  while (reader.position < reader.end) {
    const tag = reader.tag();
    const field = Span.byNumber[tag >>> 3];
    const wireType = tag & 7;
    switch (tag) {
      case (1 << 3) | BYTES:
        span.traceId = id(reader, 16, 'traceId');
        break;
      case (2 << 3) | BYTES:
        span.spanId = id(reader, 8, 'spanId');
        break;
      case (4 << 3) | BYTES:
        span.parentSpanId = id(reader, 8, 'parentSpanId');
        break;
      case (5 << 3) | BYTES: {
        const end = reader.lengthEnd();
        span.name = bytes.toString('utf8', reader.position, end);
        reader.position = end;
        break;
      }
      case (6 << 3) | VARINT:
        span.kind = reader.varint();
        break;
      case (7 << 3) | FIXED64:
        span.startMs = milliseconds(reader);
        break;
      case (8 << 3) | FIXED64:
        span.endMs = milliseconds(reader);
        break;
      case (9 << 3) | BYTES:
        within(reader, scanAttribute, span);
        break;
      case (15 << 3) | BYTES:
        within(reader, scanStatus, span);
        break;
      default: {
        if (field === undefined) {
          reader.skip(wireType);
          break;
        }
        expectWireType(reader, field, wireType);
        if (typeof field.type !== 'object') {
          reader.skip(wireType);
          break;
        }
        if (field.name === 'events') span.eventCount++;
        const outer = reader.end;
        reader.end = reader.lengthEnd();
        checkMessage(reader, field.type, 4);
        reader.end = outer;
      }
    }
  }
  if (span.traceId.length !== 32) reader.fail('a span without a trace id');
  if (span.spanId.length !== 16) reader.fail('a span without a span id');
  if (span.parentSpanId === '0000000000000000') span.parentSpanId = '';
  return span;
}

function id(reader: ProtobufReader, length: number, name: string): string {
  const end = reader.lengthEnd();
  const from = reader.position;
  if (end - from !== length && end !== from) reader.fail(`a ${name} of ${end - from} bytes, expected ${length},`);
  reader.position = end;
  return reader.bytes.toString('hex', from, end);
}

function milliseconds(reader: ProtobufReader): number {
  const at = reader.position;
  reader.advance(8);
  const { bytes } = reader;
  // Two 32-bit halves: four times faster than a BigInt, and exact to a quarter of a microsecond.
  return (bytes.readUInt32LE(at + 4) * 4294967296 + bytes.readUInt32LE(at)) / 1e6;
}

function scanStatus(reader: ProtobufReader, span: ScannedSpan): void {
  const start = reader.position;
  checkMessage(reader, Status, 4);
  reader.position = start;
  while (reader.position < reader.end) {
    const tag = reader.tag();
    if (tag === ((3 << 3) | VARINT)) span.error = reader.varint() === STATUS_ERROR;
    else reader.skip(tag & 7);
  }
}

const VALUE = (2 << 3) | BYTES;
const STRING_VALUE = (1 << 3) | BYTES;
const BOOL_VALUE = (2 << 3) | VARINT;
const INT_VALUE = (3 << 3) | VARINT;

function scanAttribute(reader: ProtobufReader, span: ScannedSpan): void {
  const { bytes, position: start } = reader;
  checkMessage(reader, KeyValue, 4);
  const end = reader.position;
  // The usual order, key then value; another order is legal, and only costs the lists a column.
  if (bytes[start] !== 0x0a) return;
  const keyLength = bytes[start + 1]!;
  if (keyLength > 0x7f) return;
  const key = bytes.toString('latin1', start + 2, start + 2 + keyLength);
  switch (key) {
    case 'http.route':
      span.route = stringValue(bytes, start + 2 + keyLength, end);
      break;
    case 'http.request.method':
    case 'http.method':
      span.method = stringValue(bytes, start + 2 + keyLength, end);
      break;
    case 'url.path':
    case 'http.target':
      span.path = stringValue(bytes, start + 2 + keyLength, end);
      break;
    case 'http.response.status_code':
    case 'http.status_code':
      span.httpStatus = numberValue(bytes, start + 2 + keyLength, end);
      break;
    case 'forktrace.interrupted':
      span.interrupted = numberValue(bytes, start + 2 + keyLength, end) === 1;
      break;
  }
}

/** The attribute's value if it is a string; it has been checked to be well-formed. */
function stringValue(bytes: Buffer, from: number, to: number): string {
  const reader = new ProtobufReader(bytes, from, to);
  while (reader.position < reader.end) {
    const tag = reader.tag();
    const end = tag === VALUE ? reader.lengthEnd() : 0;
    if (end === 0) reader.skip(tag & 7);
    else {
      if (reader.position < end && reader.tag() === STRING_VALUE) {
        const stringEnd = reader.lengthEnd();
        return bytes.toString('utf8', reader.position, stringEnd);
      }
      reader.position = end;
    }
  }
  return '';
}

/** The attribute's value if it is an integer or a boolean. */
function numberValue(bytes: Buffer, from: number, to: number): number {
  const reader = new ProtobufReader(bytes, from, to);
  while (reader.position < reader.end) {
    const tag = reader.tag();
    const end = tag === VALUE ? reader.lengthEnd() : 0;
    if (end === 0) reader.skip(tag & 7);
    else {
      if (reader.position < end) {
        const kind = reader.tag();
        if (kind === INT_VALUE || kind === BOOL_VALUE) return reader.varint();
      }
      reader.position = end;
    }
  }
  return 0;
}
