import { MAX_DEPTH, wireTypeOf } from './decode.js';
import type { FieldType, Message } from './schema.js';

/** OTLP/JSON that does not fit the protocol; the message names the field. */
export class MalformedJson extends Error {
  override readonly name = 'MalformedJson';
}

/**
 * OTLP/JSON as protobuf, so that both take one way into the store. Unknown fields are skipped, as OTLP asks.
 *
 * @throws MalformedJson
 */
export function encode(value: unknown, message: Message): Buffer {
  const parts: Buffer[] = [];
  encodeMessage(value, message, parts, message.name, 0);
  return Buffer.concat(parts);
}

/** Appends to `parts`, and returns how many bytes it appended. */
function encodeMessage(value: unknown, message: Message, parts: Buffer[], path: string, depth: number): number {
  if (depth > MAX_DEPTH) throw new MalformedJson(`${path}: more than ${MAX_DEPTH} nested messages`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(path, value, 'an object');
  let length = 0;
  for (const [name, content] of Object.entries(value)) {
    const field = message.byName.get(name);
    if (field === undefined || content === null || content === undefined) continue;
    const at = `${path}.${name}`;
    const tag = varint(BigInt(field.number * 8 + wireTypeOf(field.type)));
    if (!field.repeated) {
      length += encodeField(content, field.type, tag, parts, at, depth);
    } else if (Array.isArray(content)) {
      for (const [index, item] of content.entries()) {
        length += encodeField(item, field.type, tag, parts, `${at}[${index}]`, depth);
      }
    } else {
      throw wrong(at, content, 'an array');
    }
  }
  return length;
}

function encodeField(value: unknown, type: FieldType, tag: Buffer, parts: Buffer[], at: string, depth: number): number {
  parts.push(tag);
  if (typeof type === 'object') {
    const place = parts.push(tag) - 1;
    const bodyLength = encodeMessage(value, type, parts, at, depth + 1);
    const prefix = varint(BigInt(bodyLength));
    parts[place] = prefix;
    return tag.length + prefix.length + bodyLength;
  }
  const bytes = encodeScalar(value, type, at);
  parts.push(bytes);
  return tag.length + bytes.length;
}

function encodeScalar(value: unknown, type: Exclude<FieldType, Message>, at: string): Buffer {
  switch (type) {
    case 'string':
      if (typeof value !== 'string') throw wrong(at, value, 'a string');
      return prefixed(Buffer.from(value, 'utf8'));
    case 'id':
      if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})*$/i.test(value)) throw wrong(at, value, 'hex digits');
      return prefixed(Buffer.from(value, 'hex'));
    case 'bytes':
      if (typeof value !== 'string') throw wrong(at, value, 'base64');
      return prefixed(Buffer.from(value, 'base64'));
    case 'bool':
      if (typeof value !== 'boolean') throw wrong(at, value, 'true or false');
      return Buffer.of(value ? 1 : 0);
    case 'uint32':
      return varint(integer(value, at, 0n, 0xffffffffn));
    case 'int64':
      return varint(BigInt.asUintN(64, integer(value, at, -(2n ** 63n), 2n ** 63n - 1n)));
    case 'fixed32': {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(Number(integer(value, at, 0n, 0xffffffffn)));
      return bytes;
    }
    case 'fixed64': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(integer(value, at, 0n, 2n ** 64n - 1n));
      return bytes;
    }
    case 'sfixed64': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(integer(value, at, -(2n ** 63n), 2n ** 63n - 1n));
      return bytes;
    }
    case 'double': {
      const number = typeof value === 'string' && value !== '' ? Number(value) : value;
      if (typeof number !== 'number' || (Number.isNaN(number) && value !== 'NaN' && !Number.isNaN(value))) {
        throw wrong(at, value, 'a number');
      }
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(number);
      return bytes;
    }
  }
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

function varint(value: bigint): Buffer {
  if (value < 0x80n) return Buffer.of(Number(value));
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function prefixed(bytes: Buffer): Buffer {
  return Buffer.concat([varint(BigInt(bytes.length)), bytes]);
}

function wrong(at: string, value: unknown, expected: string): MalformedJson {
  const found =
    typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : Array.isArray(value) ? 'an array' : typeof value;
  return new MalformedJson(`${at} is ${found}, expected ${expected}`);
}
