/** From so many bytes on, the built-in copy is faster. */
const LONG = 128;

/** Bytes, and the view through which words of them are read and written. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/**
 * Copies bytes, few of them in words: 28 bytes take 13 ns so and 46 ns by `target.set(source.subarray(…))`, which is flat;
 * 100 bytes take 35 and 46 ns, 300 bytes 96 and 50.
 */
export function copyBytes(source: Memory, start: number, target: Memory, at: number, length: number): void {
  if (length >= LONG) {
    target.bytes.set(source.bytes.subarray(start, start + length), at);
    return;
  }
  const from = source.view;
  const to = target.view;
  const whole = length & ~3;
  let i = 0;
  for (; i < whole; i += 4) to.setInt32(at + i, from.getInt32(start + i, true), true);
  for (; i < length; i++) to.setInt8(at + i, from.getInt8(start + i));
}

let last = memoryOf(new Uint8Array(0));

/** `bytes` as {@link Memory}: the last one again for the same bytes, as an encoder passes them for every span. */
export function asMemory(bytes: Uint8Array): Memory {
  if (bytes !== last.bytes) last = memoryOf(bytes);
  return last;
}

export function memoryOf(bytes: Uint8Array): Memory {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}
