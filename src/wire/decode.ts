import { type Field, type FieldType, isPackable, type Message } from './message.js';
import { BYTES, MAX_DEPTH, ProtobufReader } from './protobuf-reader.js';

/**
 * `bytes[start..end)` as OTLP/JSON, as protobuf wants it read: fields in any order, unknown ones skipped; of
 * a field that may occur once the last one wins, and of a oneof its last member; messages that occur again
 * are merged; repeated numbers may be packed.
 *
 * @throws MalformedProtobuf
 */
export function decode<Json>(bytes: Uint8Array, message: Message<Json>, start = 0, end = bytes.length): Json {
  const result = {};
  decodeMessage(new ProtobufReader(bytes, start, end), message, result, 0);
  return result as Json;
}

function decodeMessage(reader: ProtobufReader, message: Message, into: Record<string, unknown>, depth: number): void {
  if (depth > MAX_DEPTH) reader.fail(`more than ${MAX_DEPTH} nested messages`);
  while (reader.position < reader.end) {
    const tag = reader.tag();
    const field = message.byNumber[tag >>> 3];
    if (field === undefined) {
      reader.skip(tag);
      continue;
    }
    const { name, type, repeated } = field;
    if (repeated) decodeRepeated(reader, field, tag, into, depth);
    else {
      if (tag !== field.tag) wrongType(reader, field, tag);
      if (field.oneof) forgetOthers(message, name, into);
      into[name] = decodeValue(reader, type, into[name], depth);
    }
  }
}

function decodeRepeated(
  reader: ProtobufReader,
  field: Field,
  tag: number,
  into: Record<string, unknown>,
  depth: number,
): void {
  into[field.name] ??= [];
  const values = into[field.name] as unknown[];
  if (tag === field.tag) {
    values.push(decodeValue(reader, field.type, undefined, depth));
    return;
  }
  if ((tag & 7) !== BYTES || !isPackable(field)) wrongType(reader, field, tag);
  within(reader, () => {
    while (reader.position < reader.end) values.push(decodeValue(reader, field.type, undefined, depth));
  });
}

function forgetOthers(message: Message, name: string, into: Record<string, unknown>): void {
  for (const other in into) if (other !== name && message.byName.get(other)?.oneof) delete into[other];
}

/** @param earlier what the message has of this field already */
function decodeValue(reader: ProtobufReader, type: FieldType, earlier: unknown, depth: number): unknown {
  const { bytes } = reader;
  switch (type) {
    case 'bool':
      return reader.varint() !== 0;
    case 'uint32':
      return reader.uint32();
    case 'int64':
      return BigInt.asIntN(64, reader.uint64()).toString();
    case 'sint32': {
      const zigzag = reader.uint32();
      return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    case 'fixed32':
      return bytes.readUInt32LE(reader.advance(4));
    case 'fixed64':
      return bytes.readBigUInt64LE(reader.advance(8)).toString();
    case 'sfixed64':
      return bytes.readBigInt64LE(reader.advance(8)).toString();
    case 'double': {
      const value = bytes.readDoubleLE(reader.advance(8));
      return Number.isFinite(value) ? value : String(value);
    }
  }
  if (typeof type === 'object') {
    const value = (earlier ?? {}) as Record<string, unknown>;
    const outer = reader.end;
    reader.end = reader.lengthEnd();
    decodeMessage(reader, type, value, depth + 1);
    reader.end = outer;
    return value;
  }
  const end = reader.lengthEnd();
  const begin = reader.position;
  reader.position = end;
  if (type === 'string') return bytes.toString('utf8', begin, end);
  return bytes.toString(type === 'bytes' ? 'base64' : 'hex', begin, end);
}

/** Has `read` read the length-delimited value at `reader`, and nothing beyond it. */
export function within(reader: ProtobufReader, read: () => void): void {
  const outer = reader.end;
  reader.end = reader.lengthEnd();
  read();
  reader.end = outer;
}

export function wrongType(reader: ProtobufReader, field: Field, tag: number): never {
  reader.fail(`wire type ${tag & 7} for ${field.name}, expected ${field.tag & 7},`);
}
