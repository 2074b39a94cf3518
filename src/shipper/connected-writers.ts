/**
 * Which writers hold a connection to the shipper: the system ends it with their process or thread, whatever
 * ends that, so that nobody has to look again and again whether they live.
 *
 * @module
 */

/** What is heard of connections. */
export interface Connections {
  /** Somebody has connected: a writer that has just started, most often. */
  opened(): void;
  /** A connection is that of the writer with this id. */
  named(writerId: string): void;
  /** One has ended: that of the writer with this id, if it has been named. */
  closed(writerId: string | undefined): void;
}

export class ConnectedWriters implements Connections {
  readonly #changed: (closed: boolean, writerId?: string | undefined) => void;
  /** How many a writer has, by its id. */
  readonly #counts = new Map<string, number>();

  /** @param changed somebody has come, or gone: who, if that is known */
  constructor(changed: (closed: boolean, writerId?: string | undefined) => void) {
    this.#changed = changed;
  }

  has(writerId: string): boolean {
    return this.#counts.has(writerId);
  }

  opened(): void {
    this.#changed(false);
  }

  named(writerId: string): void {
    this.#counts.set(writerId, (this.#counts.get(writerId) ?? 0) + 1);
  }

  closed(writerId: string | undefined): void {
    if (writerId !== undefined) {
      const left = (this.#counts.get(writerId) ?? 1) - 1;
      if (left > 0) this.#counts.set(writerId, left);
      else this.#counts.delete(writerId);
    }
    this.#changed(true, writerId);
  }
}
