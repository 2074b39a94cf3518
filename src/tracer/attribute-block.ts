/**
 * Attributes that many spans begin with, as those of a connection's requests: encoded once.
 * Keys are distinct, values valid by {@link isAttributeValue} and not arrays.
 */
export class AttributeBlock {
  /** Key, value, key, value … */
  readonly pairs: readonly unknown[];
  readonly words: Int32Array;
  /** Bytes of {@link words}. */
  readonly length: number;

  constructor(pairs: readonly unknown[], words: Int32Array, length: number) {
    this.pairs = pairs;
    this.words = words;
    this.length = length;
  }

  has(key: string): boolean {
    const { pairs } = this;
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === key) return true;
    return false;
  }
}
