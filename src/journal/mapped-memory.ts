/**
 * Files as shared memory, through koffi's prebuilt foreign-function calls.
 *
 * A {@link Window} is a range of addresses that stays mapped for the life of the process: placing a file in it, or taking it out,
 * replaces what is mapped there in one step (`MAP_FIXED`). So a stray access through a view can hit the wrong bytes, never
 * unmapped memory, and JavaScript may keep its views for ever.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import type koffiModule from 'koffi';
import { FileMemory } from './file-memory.js';

// Linux's values, equal on every architecture that Node and koffi are prebuilt for: mmap(2).
const PROT_READ_WRITE = 0x1 | 0x2;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_FAILED = 0xffffffffffffffffn;

const EIO = 5;

/** Linux 5.14; an older kernel refuses it, and pages fault in one by one as they are written. madvise(2). */
const MADV_POPULATE_WRITE = 23;
/** Faulted in with one call, in bytes: the kernel holds the lock on the address space for about 0.4 ms. */
const POPULATE_BYTES = 512 * 1024;

interface Calls {
  mmap(address: bigint | null, length: number, protection: number, flags: number, fd: number, offset: number): bigint;
  fallocate: {
    (fd: number, offset: number, length: number): number;
    async(fd: number, offset: number, length: number, done: (error: Error | null, code: number) => void): void;
  };
  madvise: {
    async(address: bigint, length: number, advice: number, done: (error: Error | null, code: number) => void): void;
  };
  view(address: bigint, length: number): ArrayBuffer;
}

let calls: Calls | undefined;

/**
 * Loads koffi and the C functions, once.
 *
 * @returns why files cannot be mapped here, or `undefined` when they can
 */
export function mappingUnavailable(): string | undefined {
  if (calls !== undefined) return undefined;
  if (process.platform !== 'linux') return `not done on ${process.platform}`;
  if (endianness() !== 'LE') return 'not done on big-endian machines';
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof koffiModule;
    const libc = koffi.load(null);
    calls = {
      mmap: libc.func('void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)'),
      fallocate: libc.func('int posix_fallocate(int fd, int64_t offset, int64_t length)') as Calls['fallocate'],
      madvise: libc.func('int madvise(void *address, size_t length, int advice)') as unknown as Calls['madvise'],
      view: koffi.view,
    };
    return undefined;
  } catch (error) {
    return `koffi does not load: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** How files become memory: the system's way below, or a simulation's. */
export interface Mapping {
  /**
   * Reserves space, so that a full disk is an error code here and never a SIGBUS later.
   *
   * @returns 0 or an errno
   */
  reserve(fd: number, length: number): number;
  /** As {@link reserve}, in a thread of libuv's pool: tmpfs takes about a millisecond for 4 MiB. */
  reserveAsync(fd: number, length: number, done: (errno: number) => void): void;
  /** A window of this length. @throws when there are no addresses left */
  window(length: number): FileWindow;
}

/** Addresses in which one file at a time is visible. */
export interface FileWindow {
  readonly memory: FileMemory;
  /** Makes the first bytes of the file visible. @returns false when the system has refused */
  place(fd: number): boolean;
  /** Faults its pages in, some time soon. */
  populate(): void;
  /** Takes the file out, and keeps the window for the next file. */
  release(): void;
}

/** After {@link mappingUnavailable} has found nothing in the way. */
export const systemMapping: Mapping = {
  reserve: (fd, length) => calls!.fallocate(fd, 0, length),
  reserveAsync: (fd, length, done) =>
    calls!.fallocate.async(fd, 0, length, (error, code) => done(error === null ? code : EIO)),
  window: (length) => Window.take(length),
};

/** See the module's comment. */
class Window implements FileWindow {
  readonly length: number;
  readonly memory: FileMemory;
  readonly #address: bigint;
  #placed = 0;

  private constructor(length: number) {
    const address = calls!.mmap(null, length, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (BigInt.asUintN(64, address) === MAP_FAILED) throw new Error(`mmap of ${length} bytes failed`);
    this.length = length;
    this.#address = address;
    this.memory = new FileMemory(calls!.view(address, length));
  }

  static readonly #spare: Window[] = [];

  /** A window of this length: a released one if there is one. @throws when there are no addresses left */
  static take(length: number): Window {
    const index = Window.#spare.findIndex((window) => window.length === length);
    return index === -1 ? new Window(length) : Window.#spare.splice(index, 1)[0]!;
  }

  /** Makes the first `length` bytes of the file visible. @returns false when the system has refused */
  place(fd: number): boolean {
    const flags = MAP_SHARED | MAP_FIXED;
    this.#placed++;
    return calls!.mmap(this.#address, this.length, PROT_READ_WRITE, flags, fd, 0) === this.#address;
  }

  /**
   * Faults all pages in for writing, in a thread of libuv's pool: on ext4 that is 4 µs per page which no request then pays.
   * Stops when another file, or none, has been placed meanwhile.
   */
  populate(): void {
    const placed = this.#placed;
    const from = (offset: number): void => {
      if (offset >= this.length || this.#placed !== placed) return;
      const length = Math.min(POPULATE_BYTES, this.length - offset);
      const address = this.#address + BigInt(offset);
      calls!.madvise.async(address, length, MADV_POPULATE_WRITE, (error, code) => {
        if (error === null && code === 0) from(offset + length);
      });
    };
    from(0);
  }

  /** Takes the file out, which the system may then forget. Anonymous memory takes its place, and costs nothing until written. */
  clear(): void {
    this.#placed++;
    calls!.mmap(this.#address, this.length, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  }

  /** Clears the window and keeps it for the next {@link take}. */
  release(): void {
    this.clear();
    Window.#spare.push(this);
  }
}
