/**
 * Whether bytes are a message that every protobuf decoder takes, down to the last attribute.
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';
import { wrongType } from './decode.js';
import { isPackable, type Message } from './message.js';
import { BYTES, MAX_DEPTH, MalformedProtobuf, ProtobufReader } from './protobuf-reader.js';

/**
 * Walks `bytes[start..end)` as {@link decode} would, and makes nothing: known fields have their types, ids
 * their lengths, and all is whole. Text may be anything: a reader of ours shows what is not UTF-8 as U+FFFD.
 *
 * @throws MalformedProtobuf
 */
export function check(bytes: Uint8Array, message: Message, start = 0, end = bytes.length): void {
  checkMessage(new ProtobufReader(bytes, start, end), message, 0, false);
}

/**
 * As {@link check}, for bytes that are passed on: text must be UTF-8, which decoders of other languages
 * insist on.
 */
export function isSound(bytes: Uint8Array, message: Message, start = 0, end = bytes.length): boolean {
  try {
    checkMessage(new ProtobufReader(bytes, start, end), message, 0, true);
    return true;
  } catch (error) {
    if (error instanceof MalformedProtobuf) return false;
    throw error;
  }
}

function checkMessage(reader: ProtobufReader, message: Message, depth: number, utf8: boolean): void {
  if (depth > MAX_DEPTH) reader.fail(`more than ${MAX_DEPTH} nested messages`);
  const { byNumber } = message;
  while (reader.position < reader.end) {
    const tag = reader.tag();
    const field = byNumber[tag >>> 3];
    if (field === undefined) {
      reader.skip(tag);
      continue;
    }
    const { type } = field;
    if (tag !== field.tag) {
      if ((tag & 7) !== BYTES || !isPackable(field)) wrongType(reader, field, tag);
      checkPacked(reader, field.tag);
      continue;
    }
    if ((tag & 7) !== BYTES) {
      reader.skip(tag);
      continue;
    }
    const end = reader.lengthEnd();
    if (typeof type === 'object') {
      const outer = reader.end;
      reader.end = end;
      checkMessage(reader, type, depth + 1, utf8);
      reader.end = outer;
      continue;
    }
    const length = end - reader.position;
    if (type === 'trace-id') {
      if (length !== 16 && length !== 0) reader.fail(`a ${field.name} of ${length} bytes, expected 16,`);
    } else if (type === 'span-id') {
      if (length !== 8 && length !== 0) reader.fail(`a ${field.name} of ${length} bytes, expected 8,`);
    } else if (type === 'string') {
      if (utf8 && !isText(reader.bytes, reader.position, end)) reader.fail(`${field.name} that is not UTF-8`);
    }
    reader.position = end;
  }
}

function checkPacked(reader: ProtobufReader, tag: number): void {
  const outer = reader.end;
  reader.end = reader.lengthEnd();
  while (reader.position < reader.end) reader.skip(tag);
  reader.end = outer;
}

function isText(bytes: Buffer, start: number, end: number): boolean {
  // Most text is ASCII and short: no call out of JavaScript for that.
  for (let i = start; i < end; i++) if (bytes[i]! > 0x7f) return isUtf8(bytes.subarray(i, end));
  return true;
}
