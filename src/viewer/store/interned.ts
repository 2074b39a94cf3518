/** One decoded object for equal bytes, so that a million spans of one process share its resource. */
export class Interned<Value> {
  readonly #values = new Map<string, Value>();
  readonly #make: (bytes: Buffer) => Value;
  readonly #limit: number;

  /**
   * @param limit distinct values kept for reuse; the oldest is forgotten here, and lives on where it is used
   */
  constructor(make: (bytes: Buffer) => Value, limit: number) {
    this.#make = make;
    this.#limit = limit;
  }

  get(bytes: Buffer, from: number, to: number): Value {
    const key = bytes.toString('latin1', from, to);
    let value = this.#values.get(key);
    if (value === undefined) {
      value = this.#make(Buffer.from(bytes.subarray(from, to)));
      this.#values.set(key, value);
      if (this.#values.size > this.#limit) this.#values.delete(this.#values.keys().next().value as string);
    }
    return value;
  }
}
