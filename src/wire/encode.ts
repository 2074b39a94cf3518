import type { FieldType, Message } from './message.js';
import { MAX_DEPTH } from './protobuf-reader.js';
import { ProtobufWriter } from './protobuf-writer.js';

/** OTLP/JSON that does not fit the protocol; the message names the field. */
export class MalformedJson extends Error {
  override readonly name = 'MalformedJson';
}

/**
 * OTLP/JSON as protobuf. Unknown fields are skipped, as OTLP asks.
 *
 * @throws MalformedJson
 */
export function encode<Json>(value: Json, message: Message<Json>): Buffer;
export function encode(value: unknown, message: Message): Buffer;
export function encode(value: unknown, message: Message): Buffer {
  const writer = new ProtobufWriter();
  encodeMessage(writer, value, message, message.name, 0);
  return Buffer.from(writer.copy().buffer);
}

function encodeMessage(writer: ProtobufWriter, value: unknown, message: Message, path: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new MalformedJson(`${path}: more than ${MAX_DEPTH} nested messages`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(path, value, 'an object');
  for (const [name, content] of Object.entries(value)) {
    const field = message.byName.get(name);
    if (field === undefined || content === null || content === undefined) continue;
    const at = `${path}.${name}`;
    if (!field.repeated) {
      writer.tag(field.tag);
      encodeValue(writer, content, field.type, at, depth);
    } else if (Array.isArray(content)) {
      for (const [index, item] of content.entries()) {
        writer.tag(field.tag);
        encodeValue(writer, item, field.type, `${at}[${index}]`, depth);
      }
    } else {
      throw wrong(at, content, 'an array');
    }
  }
}

function encodeValue(writer: ProtobufWriter, value: unknown, type: FieldType, at: string, depth: number): void {
  switch (type) {
    case 'string':
      if (typeof value !== 'string') throw wrong(at, value, 'a string');
      lengthAnd(writer, Buffer.from(value, 'utf8'));
      break;
    case 'trace-id':
    case 'span-id':
      if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})*$/i.test(value)) throw wrong(at, value, 'hex digits');
      lengthAnd(writer, Buffer.from(value, 'hex'));
      break;
    case 'bytes':
      if (typeof value !== 'string') throw wrong(at, value, 'base64');
      lengthAnd(writer, Buffer.from(value, 'base64'));
      break;
    case 'bool':
      if (typeof value !== 'boolean') throw wrong(at, value, 'true or false');
      writer.varint(value ? 1 : 0);
      break;
    case 'uint32':
      writer.int64(integer(value, at, 0n, 0xffffffffn));
      break;
    case 'int64':
      writer.int64(integer(value, at, -(2n ** 63n), 2n ** 63n - 1n));
      break;
    case 'sint32': {
      const number = Number(integer(value, at, -(2n ** 31n), 2n ** 31n - 1n));
      writer.int64(BigInt(((number << 1) ^ (number >> 31)) >>> 0));
      break;
    }
    case 'fixed32':
      writer.fixed32(Number(integer(value, at, 0n, 0xffffffffn)));
      break;
    case 'fixed64':
      writer.fixed64(integer(value, at, 0n, 2n ** 64n - 1n));
      break;
    case 'sfixed64':
      writer.fixed64(integer(value, at, -(2n ** 63n), 2n ** 63n - 1n));
      break;
    case 'double': {
      const number = typeof value === 'string' && value !== '' ? Number(value) : value;
      if (typeof number !== 'number' || (Number.isNaN(number) && value !== 'NaN' && !Number.isNaN(value))) {
        throw wrong(at, value, 'a number');
      }
      writer.double(number);
      break;
    }
    default: {
      const start = writer.begin();
      encodeMessage(writer, value, type, at, depth + 1);
      writer.end(start);
    }
  }
}

function lengthAnd(writer: ProtobufWriter, bytes: Buffer): void {
  writer.varint(bytes.length);
  writer.raw(bytes);
}

function integer(value: unknown, at: string, least: bigint, most: bigint): bigint {
  const whole =
    typeof value === 'number' && Number.isInteger(value)
      ? BigInt(value)
      : typeof value === 'string' && /^-?\d{1,20}$/.test(value)
        ? BigInt(value)
        : undefined;
  if (whole === undefined || whole < least || whole > most) throw wrong(at, value, 'a whole number in range');
  return whole;
}

function wrong(at: string, value: unknown, expected: string): MalformedJson {
  const found =
    typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : Array.isArray(value) ? 'an array' : typeof value;
  return new MalformedJson(`${at} is ${found}, expected ${expected}`);
}
