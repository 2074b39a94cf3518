/**
 * Which writers hold a connection to the shipper: the system ends it with their process or thread, whatever
 * ends that, so that nobody has to look again and again whether they live. Nor whether they have written: a
 * writer that has been told that the shipper sleeps says so, once.
 *
 * @module
 */

/** What is heard of connections. */
export interface Connections {
  /** Somebody has connected: a writer that has just started, most often. */
  opened(): void;
  /**
   * A connection is that of the writer with this id. `sayAsleep`: there, if the writer then says when it has
   * written.
   */
  named(writerId: string, sayAsleep?: () => void): void;
  /** A writer that was told that the shipper sleeps has written something since. */
  written(writerId: string): void;
  /** One has ended: that of the writer with this id, if it has been named. */
  closed(writerId: string | undefined): void;
}

export class ConnectedWriters implements Connections {
  readonly #changed: (closed: boolean, writerId?: string | undefined) => void;
  /** How many a writer has, by its id. */
  readonly #counts = new Map<string, number>();
  /** Of those that say when they have written, by their id. */
  readonly #sayAsleep = new Map<string, () => void>();
  /** Those that have been told, and have not written since. */
  readonly #told = new Set<string>();
  readonly #hasWritten: () => unknown;

  /**
   * @param changed somebody has come, or gone: who, if that is known
   * @param hasWritten one that was told that the shipper sleeps has written something
   */
  constructor(changed: (closed: boolean, writerId?: string | undefined) => void, hasWritten: () => unknown = () => {}) {
    this.#changed = changed;
    this.#hasWritten = hasWritten;
  }

  has(writerId: string): boolean {
    return this.#counts.has(writerId);
  }

  opened(): void {
    this.#changed(false);
  }

  named(writerId: string, sayAsleep?: () => void): void {
    this.#counts.set(writerId, (this.#counts.get(writerId) ?? 0) + 1);
    if (sayAsleep) this.#sayAsleep.set(writerId, sayAsleep);
    this.#told.delete(writerId);
  }

  written(writerId: string): void {
    this.#told.delete(writerId);
    this.#hasWritten();
  }

  /**
   * Tells these writers that nobody looks until they say that they have written.
   * @returns false where one of them does not say that: none is told then
   */
  tellAsleep(writerIds: readonly string[]): boolean {
    if (!writerIds.every((id) => this.#sayAsleep.has(id))) return false;
    for (const id of writerIds) {
      if (this.#told.has(id)) continue;
      this.#told.add(id);
      this.#sayAsleep.get(id)!();
    }
    return true;
  }

  closed(writerId: string | undefined): void {
    if (writerId !== undefined) {
      const left = (this.#counts.get(writerId) ?? 1) - 1;
      if (left > 0) this.#counts.set(writerId, left);
      else this.#counts.delete(writerId);
      // Of several, which one is not told apart.
      this.#sayAsleep.delete(writerId);
      this.#told.delete(writerId);
    }
    this.#changed(true, writerId);
  }
}
