/**
 * From so many bytes on, the built-in copy is used. In a loop it is faster from 224 on with Node 20 and from
 * 400 with Node 24; at 2,000 requests/s its code is cold, and copying a request's 330 bytes takes it 0.5 µs
 * where the words take 0.1.
 */
const LONG = 768;
const WORD = 4;

/** Bytes, and the views through which words and text of them are read and written. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly buffer: Buffer;
}

/**
 * Copies bytes, few of them in words, the last one over the one before it: 60 bytes take 12 ns so, 170 bytes
 * 28 and 220 bytes 31 ns, where `target.set(source.subarray(…))` takes 50 ns for any of them. A loop over the
 * last bytes would double that.
 */
export function copyBytes(source: Memory, start: number, target: Memory, at: number, length: number): void {
  if (length >= LONG) {
    target.bytes.set(source.bytes.subarray(start, start + length), at);
    return;
  }
  const from = source.view;
  const to = target.view;
  if (length < WORD) {
    for (let i = 0; i < length; i++) to.setInt8(at + i, from.getInt8(start + i));
    return;
  }
  const last = at + length - WORD;
  for (let i = start, j = at; j < last; i += WORD, j += WORD) to.setInt32(j, from.getInt32(i, true), true);
  to.setInt32(last, from.getInt32(start + length - WORD, true), true);
}

let last = memoryOf(new Uint8Array(0));

/**
 * `bytes` as {@link Memory}: the last one again for the same bytes, as an encoder passes them for every span.
 */
export function asMemory(bytes: Uint8Array): Memory {
  if (bytes !== last.bytes) last = memoryOf(bytes);
  return last;
}

export function memoryOf(bytes: Uint8Array): Memory {
  const { buffer, byteOffset, byteLength } = bytes;
  return {
    bytes,
    view: new DataView(buffer, byteOffset, byteLength),
    buffer: Buffer.from(buffer, byteOffset, byteLength),
  };
}
