/** Longer values are not worth their memory. */
const MAX_KEPT_VALUE = 256;
/** So often a key's kept value may change before it stays: keeping costs more than encoding. */
const MAX_KEPT_VALUES = 64;

const NO_WORDS = new Int32Array(0);

/**
 * The length and bytes of a string that recurs. If it is an attribute's key, also its last value that came
 * twice in a row (a method, a host, a query's text), as the whole KeyValue without its tag.
 */
export class CachedString {
  readonly words: Int32Array;
  readonly length: number;
  lastValue: string | undefined = undefined;
  lastWords: Int32Array = NO_WORDS;
  lastLength = 0;
  #candidate: string | undefined = undefined;
  #kept = 0;

  constructor(bytes: Uint8Array) {
    this.words = toWords(bytes);
    this.length = bytes.length;
  }

  isRepeated(value: string): boolean {
    if (value.length > MAX_KEPT_VALUE || this.#kept === MAX_KEPT_VALUES) return false;
    if (value === this.#candidate) return true;
    this.#candidate = value;
    return false;
  }

  keep(value: string, bytes: Uint8Array): void {
    this.#kept++;
    this.lastValue = value;
    this.lastWords = toWords(bytes);
    this.lastLength = bytes.length;
  }
}

/** Little endian, and filled up with zeroes. */
export function toWords(bytes: Uint8Array): Int32Array {
  const words = new Int32Array((bytes.length + 3) >> 2);
  for (let i = 0; i < bytes.length; i++) words[i >> 2]! |= bytes[i]! << ((i & 3) * 8);
  return words;
}
