/** Splits a byte stream into lines, with a bound on what it holds. */
export class LineSplitter {
  #rest: Buffer[] = [];
  #bytes = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * @returns the whole lines that `chunk` completes, without their ends; undefined when one is longer than the bound: the
   * stream cannot be trusted from there on
   */
  push(chunk: Buffer): string[] | undefined {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...this.#rest, chunk.subarray(start, end)]);
      if (line.length > this.#maxBytes) return undefined;
      lines.push(line.toString('utf8'));
      this.#rest = [];
      this.#bytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      this.#rest.push(chunk.subarray(start));
      this.#bytes += chunk.length - start;
    }
    return this.#bytes > this.#maxBytes ? undefined : lines;
  }
}
