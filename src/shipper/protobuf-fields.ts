/**
 * The fields of a protobuf message, one after the other, for the few messages that the shipper reads.
 *
 * @module
 */

export interface Field {
  number: number;
  /** Of a varint field; 0 else. */
  value: number;
  /** Of a length-delimited or fixed64 field; empty else. */
  bytes: Uint8Array;
}

const NONE = new Uint8Array(0);

/** The fields of `message` up to the first byte that is no field. */
export function* fields(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; at < message.length && scale < 2 ** 63; scale *= 128) {
      const byte = message[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    at = message.length;
    return Number.NaN;
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0: {
        const value = varint();
        if (Number.isNaN(value)) return;
        yield { number, value, bytes: NONE };
        break;
      }
      case 1:
        if (at + 8 > message.length) return;
        yield { number, value: 0, bytes: message.subarray(at, at + 8) };
        at += 8;
        break;
      case 2: {
        const length = varint();
        // Also where it is NaN.
        if (!(at + length <= message.length)) return;
        yield { number, value: 0, bytes: message.subarray(at, at + length) };
        at += length;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        return;
    }
  }
}
