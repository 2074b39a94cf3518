/**
 * The same message as another encoder may write it, in all that protobuf leaves open: fields in any order,
 * values before their keys, unknown fields in between, lengths in more bytes than they need, fields written
 * over by a later one, and messages in two parts.
 *
 * @module
 */
import type { Field, Message } from '#src/wire/message.js';
import { ProtobufReader } from '#src/wire/protobuf-reader.js';

/** Whole numbers from 0 to `bound - 1`, the same for the same seed. */
export function repeatable(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

interface Part {
  bytes: Buffer;
  /**
   * Parts of the same group keep their order, as protobuf gives it a meaning: of repeated fields, and of what
   * is written over.
   */
  group: string | undefined;
}

export function shuffled(bytes: Uint8Array, message: Message, random: (bound: number) => number): Buffer {
  const parts = fieldsOf(bytes, message, random);
  if (random(3) === 0) parts.push(unknownField(random));
  if (random(8) === 0) parts.push(unknownField(random));
  return Buffer.concat(inAnyOrder(parts, random).map((part) => part.bytes));
}

function fieldsOf(bytes: Uint8Array, message: Message, random: (bound: number) => number): Part[] {
  const reader = new ProtobufReader(bytes);
  const parts: Part[] = [];
  while (reader.position < reader.end) {
    const start = reader.position;
    const tag = reader.tag();
    const field = message.byNumber[tag >>> 3]!;
    const group = field.oneof ? 'oneof' : field.name;
    const valueAt = reader.position;
    reader.skip(tag);
    if (typeof field.type !== 'object') {
      if (!field.repeated && random(6) === 0) parts.push({ bytes: decoy(field, message), group });
      parts.push({ bytes: Buffer.from(reader.bytes.subarray(start, reader.position)), group });
      continue;
    }
    const content = new ProtobufReader(reader.bytes, valueAt, reader.position);
    content.lengthEnd();
    const inner = bytes.subarray(content.position, reader.position);
    if (field.repeated || random(4) > 0) {
      parts.push({ bytes: nested(tag, shuffled(inner, field.type, random), random), group });
      continue;
    }
    // Two messages of a field that occurs once are merged.
    const fields = fieldsOf(inner, field.type, random);
    const cut = random(fields.length + 1);
    for (const half of [fields.slice(0, cut), fields.slice(cut)]) {
      const content = Buffer.concat(inAnyOrder(half, random).map((part) => part.bytes));
      parts.push({ bytes: nested(tag, content, random), group });
    }
  }
  return parts;
}

/** Any permutation that keeps the order within each group. */
function inAnyOrder(parts: Part[], random: (bound: number) => number): Part[] {
  const places = parts.map((_, i) => i);
  for (let i = places.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [places[i], places[j]] = [places[j]!, places[i]!];
  }
  const groups = new Map<unknown, number[]>();
  for (const place of places) {
    const key = parts[place]!.group ?? place;
    groups.set(key, [...(groups.get(key) ?? []), place]);
  }
  for (const group of groups.values()) group.sort((a, b) => b - a);
  return places.map((place) => parts[groups.get(parts[place]!.group ?? place)!.pop()!]!);
}

/** A value that the one after it replaces: of the same field, or of another one of the same oneof. */
function decoy(field: Field, message: Message): Buffer {
  const other = field.oneof ? [...message.byName.values()].find((one) => one.oneof && one !== field)! : field;
  switch (other.tag & 7) {
    case 0:
      return Buffer.of(...varint(other.tag), 1);
    case 1:
      return Buffer.of(...varint(other.tag), 1, 2, 3, 4, 5, 6, 7, 8);
    case 5:
      return Buffer.of(...varint(other.tag), 1, 2, 3, 4);
    default: {
      const length = other.type === 'trace-id' ? 16 : typeof other.type === 'object' ? 0 : 8;
      return Buffer.concat([Buffer.of(...varint(other.tag), length), Buffer.alloc(length, 'x')]);
    }
  }
}

/** Fields that no message of OTLP has. */
function unknownField(random: (bound: number) => number): Part {
  const number = 1000 + random(5);
  const tag = (wireType: number) => varint(number * 8 + wireType);
  const fields = [
    [...tag(0), ...varint(random(2 ** 31))],
    [...tag(1), 1, 2, 3, 4, 5, 6, 7, 8],
    [...tag(2), 3, 0x12, 0xff, 0x0a],
    [...tag(5), 1, 2, 3, 4],
    // A group, with a group of its own number in it.
    [...tag(3), 0x08, 0x01, ...tag(3), ...tag(4), 0x12, 0x01, 0x61, ...tag(4)],
  ];
  return { bytes: Buffer.from(fields[random(fields.length)]!), group: undefined };
}

function nested(tag: number, content: Buffer, random: (bound: number) => number): Buffer {
  return Buffer.concat([Buffer.from([...varint(tag), ...varint(content.length, random(4) === 0 ? 2 : 0)]), content]);
}

/** @param padding bytes that add nothing */
export function varint(value: number, padding = 0): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  if (padding === 0) return [...bytes, rest];
  return [...bytes, rest | 0x80, ...Array(padding - 1).fill(0x80), 0];
}
