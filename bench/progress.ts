/** One line on the terminal's standard error: what is running, how far it is, and about how long it takes. */
export class Progress {
  readonly #startedAt = performance.now();
  #done = 0;

  constructor(readonly total: number) {}

  /** Says that one more of `total` is done. */
  step(what: string): void {
    this.#done++;
    const secondsLeft = ((performance.now() - this.#startedAt) / 1000 / this.#done) * (this.total - this.#done);
    this.#write(`${this.#done}/${this.total}  about ${duration(secondsLeft)} left  ${what}`);
  }

  end(): void {
    this.#write('');
  }

  #write(line: string): void {
    // A log has no use for a line that is written over.
    if (process.stderr.isTTY) process.stderr.write(`\r${line.slice(0, 79).padEnd(79)}${line === '' ? '\r' : ''}`);
  }
}

export function duration(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
