import { BYTES, FIXED32, FIXED64, ProtobufReader, VARINT } from './protobuf-reader.js';
import type { Field, FieldType, Message } from './schema.js';

/** Messages in messages; AnyValue may hold itself. Deeper than this is an attack, not a span. */
export const MAX_DEPTH = 64;

/**
 * `bytes[start..end)` as OTLP/JSON. Unknown fields are skipped; of a field that may occur once, the last one wins.
 *
 * @throws MalformedProtobuf
 */
export function decode<Result>(bytes: Buffer, message: Message, start = 0, end = bytes.length): Result {
  return decodeMessage(new ProtobufReader(bytes, start, end), message, 0) as Result;
}

function decodeMessage(reader: ProtobufReader, message: Message, depth: number): Record<string, unknown> {
  if (depth > MAX_DEPTH) reader.fail(`more than ${MAX_DEPTH} nested messages`);
  const result: Record<string, unknown> = {};
  while (reader.position < reader.end) {
    const tag = reader.tag();
    const field = message.byNumber[tag >>> 3];
    if (field === undefined) {
      reader.skip(tag & 7);
      continue;
    }
    expectWireType(reader, field, tag & 7);
    const value = decodeValue(reader, field.type, depth);
    if (!field.repeated) result[field.name] = value;
    else if (Array.isArray(result[field.name])) (result[field.name] as unknown[]).push(value);
    else result[field.name] = [value];
  }
  return result;
}

function decodeValue(reader: ProtobufReader, type: FieldType, depth: number): unknown {
  const { bytes } = reader;
  const from = reader.position;
  switch (type) {
    case 'bool':
      return reader.varint() !== 0;
    case 'uint32':
      return reader.varint() % 0x100000000;
    case 'int64':
      return BigInt.asIntN(64, reader.varint64()).toString();
    case 'fixed32':
      reader.advance(4);
      return bytes.readUInt32LE(from);
    case 'fixed64':
      reader.advance(8);
      return bytes.readBigUInt64LE(from).toString();
    case 'sfixed64':
      reader.advance(8);
      return bytes.readBigInt64LE(from).toString();
    case 'double': {
      reader.advance(8);
      const value = bytes.readDoubleLE(from);
      return Number.isFinite(value) ? value : String(value);
    }
  }
  const end = reader.lengthEnd();
  const begin = reader.position;
  if (typeof type === 'object') {
    const outer = reader.end;
    reader.end = end;
    const value = decodeMessage(reader, type, depth + 1);
    reader.end = outer;
    return value;
  }
  reader.position = end;
  if (type === 'id') return bytes.toString('hex', begin, end);
  if (type === 'bytes') return bytes.toString('base64', begin, end);
  return bytes.toString('utf8', begin, end);
}

/**
 * Walks `reader` to its end as {@link decode} would, and makes nothing.
 *
 * @throws MalformedProtobuf
 */
export function checkMessage(reader: ProtobufReader, message: Message, depth: number): void {
  if (depth > MAX_DEPTH) reader.fail(`more than ${MAX_DEPTH} nested messages`);
  while (reader.position < reader.end) {
    const tag = reader.tag();
    const field = message.byNumber[tag >>> 3];
    if (field !== undefined) expectWireType(reader, field, tag & 7);
    if (field === undefined || typeof field.type !== 'object') {
      reader.skip(tag & 7);
      continue;
    }
    const outer = reader.end;
    reader.end = reader.lengthEnd();
    checkMessage(reader, field.type, depth + 1);
    reader.end = outer;
  }
}

export function expectWireType(reader: ProtobufReader, field: Field, wireType: number): void {
  const expected = wireTypeOf(field.type);
  if (wireType !== expected) reader.fail(`wire type ${wireType} for ${field.name}, expected ${expected},`);
}

export function wireTypeOf(type: FieldType): number {
  switch (type) {
    case 'bool':
    case 'uint32':
    case 'int64':
      return VARINT;
    case 'fixed64':
    case 'sfixed64':
    case 'double':
      return FIXED64;
    case 'fixed32':
      return FIXED32;
    default:
      return BYTES;
  }
}
