/** A sleep that others end or shorten: something is to be done, sooner than was known when it began. */
export class WakingSleep {
  #isWoken = false;
  /** Of the sleep at hand. */
  #end: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** By `performance.now()`. */
  #endsAt = 0;

  /** Resolves after `ms`, or when it is woken; at once if that happened before it began. */
  sleep(ms: number, holdsProcessOpen: boolean): Promise<void> {
    if (this.#isWoken) {
      this.#isWoken = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(this.#timer);
        this.#end = undefined;
        resolve();
      };
      this.#end = end;
      this.#timer = setTimeout(end, ms);
      if (!holdsProcessOpen) this.#timer.unref();
      this.#endsAt = performance.now() + ms;
    });
  }

  wake(): void {
    if (this.#end) this.#end();
    else this.#isWoken = true;
  }

  /** It ends within `ms` at the latest. */
  shorten(ms: number): void {
    const end = this.#end;
    if (!end || performance.now() + ms >= this.#endsAt) return;
    const holdsProcessOpen = this.#timer?.hasRef();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(end, ms);
    if (!holdsProcessOpen) this.#timer.unref();
    this.#endsAt = performance.now() + ms;
  }
}
