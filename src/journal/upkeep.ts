/**
 * What a writer does for its files from time to time: it renews their lease, makes deleted ones again, gives
 * back what a burst or a start has needed, and with `sync: 'interval'` brings them to the disk.
 *
 * @module
 */
import { close, fsync, open } from 'node:fs';
import { LEASE_RENEWAL_MS } from './identity.js';
import { giveBackFreed } from './mapped-memory.js';
import type { TakenForDead } from './taken-for-dead.js';
import type { WriterFiles } from './writer-files.js';

export class Upkeep {
  readonly #files: WriterFiles;
  readonly #takenForDead: TakenForDead;
  readonly #leaseTimer: NodeJS.Timeout;
  readonly #syncTimer: NodeJS.Timeout | undefined;
  #renewals = 0;

  /** @param syncMs between syncs, in milliseconds; undefined: never */
  constructor(files: WriterFiles, takenForDead: TakenForDead, syncMs: number | undefined) {
    this.#files = files;
    this.#takenForDead = takenForDead;
    this.#leaseTimer = setInterval(() => this.#renewLease(), LEASE_RENEWAL_MS);
    this.#leaseTimer.unref();
    if (syncMs !== undefined) this.#syncTimer = setInterval(() => this.#sync(), syncMs).unref();
  }

  stop(): void {
    clearInterval(this.#leaseTimer);
    clearInterval(this.#syncTimer);
  }

  #renewLease(): void {
    const files = this.#files;
    this.#takenForDead.look();
    const now = Date.now();
    files.trim();
    // Less and less often: what has been compiled once is not compiled again.
    this.#renewals++;
    if ((this.#renewals & (this.#renewals - 1)) === 0) giveBackFreed();
    files.touchVitals();
    for (const file of files.inUse()) {
      file.renewLease(now);
      file.isGone((gone) => {
        if (gone && !files.isClosed) files.replace(file);
      });
      try {
        if (files.writeBack !== undefined) file.writeLease();
      } catch {
        // As with spans: tried again, and said when a span is lost by it.
      }
    }
  }

  /**
   * Tables are begun before segments: of a span that ends in between, most often one of the two reaches the
   * disk. It is not certain, as threads do this side by side; such a span is younger than the last sync.
   */
  #sync(): void {
    this.#files.flush();
    for (const file of this.#files.inUse()) file.sync();
    open(this.#files.plans.dir, 'r', (error, fd) => {
      if (error === null) fsync(fd, () => close(fd));
    });
  }
}
