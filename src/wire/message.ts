/**
 * A protobuf message as a table: what decoding, encoding and checking go by, and where tags come from.
 *
 * @module
 */
import { BYTES, FIXED32, FIXED64, VARINT } from './protobuf-reader.js';

/** How a field's value is written in protobuf and in OTLP/JSON. */
export type FieldType =
  | 'string'
  | 'bool'
  /** Enums and small integers: a JSON number. */
  | 'uint32'
  | 'int64'
  /** Zigzag; a JSON number. */
  | 'sint32'
  | 'fixed32'
  /** A JSON string of decimal digits. */
  | 'fixed64'
  | 'sfixed64'
  | 'double'
  /** 16 and 8 bytes, or none: hex in OTLP/JSON, unlike protobuf's own JSON. */
  | 'trace-id'
  | 'span-id'
  /** Base64 in JSON. */
  | 'bytes'
  | Message;

export interface Field {
  readonly number: number;
  readonly name: string;
  readonly type: FieldType;
  readonly repeated: boolean;
  /** At most one field of the message that has this is set: the last one. */
  readonly oneof: boolean;
  /** `number << 3 | wire type` */
  readonly tag: number;
}

/** @typeParam Json its shape in OTLP/JSON */
export interface Message<Json = unknown> {
  readonly name: string;
  readonly byNumber: readonly (Field | undefined)[];
  readonly byName: ReadonlyMap<string, Field>;
  /** For the compiler alone. */
  readonly json?: Json;
}

type Declared<Value> =
  NonNullable<Value> extends readonly unknown[]
    ? [number: number, type: FieldType, 'repeated']
    : [number: number, type: FieldType, 'oneof'?];

/** The fields of a message, each by its OTLP/JSON name. */
export type Fields<Json> = { readonly [Name in keyof Json & string]-?: Declared<Json[Name]> };

/** @param fields may follow with {@link define}, for messages that hold each other */
export function message<Json>(name: string, fields?: Fields<Json>): Message<Json> {
  const made: Message<Json> = { name, byNumber: [], byName: new Map() };
  if (fields !== undefined) define(made, fields);
  return made;
}

export function define<Json>(target: Message<Json>, fields: Fields<Json>): void {
  const byNumber = target.byNumber as (Field | undefined)[];
  const byName = target.byName as Map<string, Field>;
  for (const [name, [number, type, kind]] of Object.entries<Declared<unknown> | Declared<unknown[]>>(fields)) {
    const tag = number * 8 + wireTypeOf(type);
    const field: Field = { number, name, type, repeated: kind === 'repeated', oneof: kind === 'oneof', tag };
    byNumber[number] = field;
    byName.set(name, field);
  }
}

export type Tags<Json> = { readonly [Name in keyof Json & string]-?: number };

/** The tags of a message by its fields' names. */
export function tags<Json>({ byName }: Message<Json>): Tags<Json> {
  return Object.fromEntries(Array.from(byName, ([name, { tag }]) => [name, tag])) as Tags<Json>;
}

export function wireTypeOf(type: FieldType): number {
  switch (type) {
    case 'bool':
    case 'uint32':
    case 'int64':
    case 'sint32':
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

/** Whether a field may be written packed: all its values in one length-delimited field, back to back. */
export function isPackable({ repeated, type }: Field): boolean {
  return repeated && wireTypeOf(type) !== BYTES;
}
