/**
 * Mapped files of a simulated disk. The writer stores into memory of its own; each store is then on its way
 * to the file, which is what other processes see: in any order, but for stores to the same place, and for one
 * that is published.
 *
 * @module
 */

import { FileMemory } from '#src/journal/file-memory.js';
import { AT_ENDED, AT_SHIPPED } from '#src/journal/format.js';
import type { FileWindow, Mapping } from '#src/journal/mapped-memory.js';
import type { Memory } from '#src/wire/memory.js';
import { grow, type Inode, inodeOf, type SimulatedDisk } from './simulated-disk.js';

interface Store {
  inode: Inode;
  at: number;
  bytes: Uint8Array;
}

/** What a processor stores at once, at most: a copy takes vector registers. */
const LONGEST_STORE = 32;

export class SimulatedMapping implements Mapping {
  readonly #disk: SimulatedDisk;
  readonly #random: () => number;
  /** Stores on their way, oldest first. */
  #pending: Store[] = [];
  /** Called after each store of the writer. */
  stored: () => void = () => {};

  constructor(disk: SimulatedDisk, random: () => number) {
    this.#disk = disk;
    this.#random = random;
    // The kernel's locks order what was stored before a system call.
    disk.called = () => this.arriveAll();
  }

  reserve(fd: number, length: number): number {
    grow(inodeOf(fd), length);
    this.#disk.changed();
    return 0;
  }

  reserveAsync(fd: number, length: number, done: (errno: number) => void): void {
    done(this.reserve(fd, length));
  }

  giveBackWindows(): void {}

  window(length: number): FileWindow {
    return new SimulatedWindow(this, length);
  }

  store(inode: Inode | undefined, own: Uint8Array, at: number, length: number): void {
    if (inode === undefined) return;
    for (let done = 0; done < length; done += LONGEST_STORE) {
      const end = Math.min(length, done + LONGEST_STORE);
      this.#pending.push({ inode, at: at + done, bytes: own.slice(at + done, at + end) });
      this.stored();
    }
  }

  publish(inode: Inode | undefined, own: Uint8Array, at: number): void {
    this.arriveAll();
    if (inode === undefined) return;
    inode.bytes.set(own.subarray(at, at + 4), at);
    this.stored();
  }

  /** Some of the stores become visible to others. */
  arriveSome(): void {
    const late: Store[] = [];
    for (const store of this.#pending) {
      const isBehind = late.some(({ inode, at, bytes }) => {
        return inode === store.inode && at < store.at + store.bytes.length && store.at < at + bytes.length;
      });
      if (isBehind || this.#random() < 0.5) late.push(store);
      else arrive(store);
    }
    this.#pending = late;
  }

  /** All of them do: the process has died, or made a system call. */
  arriveAll(): void {
    for (const store of this.#pending) arrive(store);
    this.#pending = [];
  }

  /** What a process that died now would leave. */
  leave(held: Iterable<number>): SimulatedDisk {
    const { disk, copies } = this.#disk.clone(held);
    for (const { inode, at, bytes } of this.#pending) copies.get(inode)?.bytes.set(bytes, at);
    return disk;
  }
}

function arrive({ inode, at, bytes }: Store): void {
  inode.bytes.set(bytes, at);
}

class SimulatedWindow implements FileWindow {
  readonly memory: SimulatedFileMemory;

  constructor(mapping: SimulatedMapping, length: number) {
    this.memory = new SimulatedFileMemory(mapping, length);
  }

  place(fd: number): boolean {
    this.memory.see(inodeOf(fd));
    return true;
  }

  populate(): void {}

  release(): void {
    this.memory.see(undefined);
  }
}

class SimulatedFileMemory extends FileMemory {
  readonly #mapping: SimulatedMapping;
  readonly #own: Uint8Array;
  #inode: Inode | undefined;
  override readonly bytes: Uint8Array;
  override readonly memory: Memory;
  override readonly words: Uint32Array;
  override readonly doubles: Float64Array;

  constructor(mapping: SimulatedMapping, length: number) {
    const buffer = new ArrayBuffer(length);
    super(buffer);
    this.#mapping = mapping;
    this.#own = new Uint8Array(buffer);
    const stored = (at: number, bytes: number) => this.#mapping.store(this.#inode, this.#own, at, bytes);
    this.bytes = watched(new Uint8Array(buffer), stored);
    this.words = watched(new Uint32Array(buffer), stored, (index) => {
      // The words that another process stores.
      if (!(index === AT_SHIPPED / 4 || index === AT_ENDED / 4) || this.#inode === undefined) return undefined;
      return new DataView(this.#inode.bytes.buffer).getUint32(index * 4, true);
    });
    this.doubles = watched(new Float64Array(buffer), stored);
    this.memory = { bytes: this.bytes, view: new WatchedView(buffer, stored), buffer: Buffer.from(buffer) };
  }

  see(inode: Inode | undefined): void {
    this.#inode = inode;
    this.#own.fill(0);
    if (inode !== undefined) this.#own.set(inode.bytes.subarray(0, this.#own.length));
  }

  override publish(word: number, value: number): void {
    new DataView(this.#own.buffer).setUint32(word * 4, value, true);
    this.#mapping.publish(this.#inode, this.#own, word * 4);
  }
}

type Stored = (at: number, bytes: number) => void;

class WatchedView extends DataView<ArrayBuffer> {
  readonly #stored: Stored;

  constructor(buffer: ArrayBuffer, stored: Stored) {
    super(buffer);
    this.#stored = stored;
  }

  override setInt8(at: number, value: number): void {
    super.setInt8(at, value);
    this.#stored(at, 1);
  }

  override setInt16(at: number, value: number, little?: boolean): void {
    super.setInt16(at, value, little);
    this.#stored(at, 2);
  }

  override setInt32(at: number, value: number, little?: boolean): void {
    super.setInt32(at, value, little);
    this.#stored(at, 4);
  }
}

type Elements = Uint8Array | Uint32Array | Float64Array;

function watched<T extends Elements>(array: T, stored: Stored, read?: (index: number) => number | undefined): T {
  const size = array.BYTES_PER_ELEMENT;
  const set = (source: ArrayLike<number>, at = 0) => {
    array.set(source, at);
    stored(at * size, source.length * size);
  };
  return new Proxy(array, {
    get(target, key) {
      if (key === 'set') return set;
      const known = typeof key === 'string' && read !== undefined ? read(Number(key)) : undefined;
      const value = known ?? Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set(target, key, value) {
      Reflect.set(target, key, value, target);
      stored(Number(key) * size, size);
      return true;
    },
  });
}
