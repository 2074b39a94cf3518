/** Keeps the last bytes of a stream, in a buffer of fixed size. */
export class LastBytes {
  readonly #ring: Buffer;
  #total = 0;

  constructor(capacity: number) {
    this.#ring = Buffer.allocUnsafe(capacity);
  }

  push(chunk: Uint8Array): void {
    const { length: capacity } = this.#ring;
    const kept = chunk.length > capacity ? chunk.subarray(chunk.length - capacity) : chunk;
    this.#total += chunk.length - kept.length;
    const at = this.#total % capacity;
    const first = Math.min(kept.length, capacity - at);
    this.#ring.set(kept.subarray(0, first), at);
    this.#ring.set(kept.subarray(first), 0);
    this.#total += kept.length;
  }

  /**
   * The bytes as text. A text that is cut at its beginning starts with the next whole line, if there is one.
   */
  text(): string {
    const { length: capacity } = this.#ring;
    if (this.#total <= capacity) return this.#ring.toString('utf8', 0, this.#total);
    const at = this.#total % capacity;
    const whole = Buffer.concat([this.#ring.subarray(at), this.#ring.subarray(0, at)]);
    const line = whole.indexOf(10);
    return whole.toString('utf8', line < 0 ? 0 : line + 1);
  }
}
