/**
 * Files as shared memory, through koffi's prebuilt foreign-function calls.
 *
 * A {@link Window} is a range of addresses that stays mapped for the life of the process: placing a file in
 * it, or taking it out, replaces what is mapped there in one step (`MAP_FIXED`). So a stray access through a
 * view can hit the wrong bytes, never unmapped memory, and JavaScript may keep its views for ever.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { FileMemory } from './file-memory.js';
import { loadKoffi } from './load-koffi.js';

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
  munmap(address: bigint, length: number): number;
  /** Of glibc alone. */
  mallocTrim?: { async(pad: number, done: () => void): void };
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
    const koffi = loadKoffi(createRequire(import.meta.url));
    const libc = koffi.load(null);
    calls = {
      mmap: libc.func('void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)'),
      fallocate: libc.func('int posix_fallocate(int fd, int64_t offset, int64_t length)') as Calls['fallocate'],
      madvise: libc.func('int madvise(void *address, size_t length, int advice)') as unknown as Calls['madvise'],
      munmap: libc.func('int munmap(void *address, size_t length)'),
      view: koffi.view,
    };
    try {
      calls.mallocTrim = libc.func('int malloc_trim(size_t pad)') as unknown as Calls['mallocTrim'];
    } catch {
      // Another C library.
    }
    return undefined;
  } catch (error) {
    return `koffi does not load: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * Bytes of this process beside V8's heap above which nothing is given back: malloc_trim holds the locks of
 * malloc, for 600 ms where 500 MB are free in small pieces.
 */
const MOST_LOOKED_THROUGH = 128 * 1024 * 1024;

/**
 * Gives what this process has freed back to the system, where its C library can (glibc: malloc_trim(3)), in a
 * thread of libuv's pool. V8 takes megabytes while it compiles hot code, in several threads, and glibc keeps
 * them: 21 MB of a hello-world server. Does nothing in a process with much other memory, which would wait.
 */
export function giveBackFreed(): void {
  if (!calls?.mallocTrim) return;
  const { rss, heapTotal } = process.memoryUsage();
  if (rss - heapTotal <= MOST_LOOKED_THROUGH) calls.mallocTrim.async(0, () => {});
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
  /** This thread ends, and needs none of its released windows any more. */
  giveBackWindows(): void;
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
  giveBackWindows: () => Window.unmapSpare(),
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

  /** Nobody may hold a view of a released window any more. */
  static unmapSpare(): void {
    for (const window of Window.#spare.splice(0)) calls!.munmap(window.#address, window.length);
  }

  /** Makes the first `length` bytes of the file visible. @returns false when the system has refused */
  place(fd: number): boolean {
    const flags = MAP_SHARED | MAP_FIXED;
    this.#placed++;
    return calls!.mmap(this.#address, this.length, PROT_READ_WRITE, flags, fd, 0) === this.#address;
  }

  /**
   * Faults all pages in for writing, in a thread of libuv's pool: on ext4 that is 4 µs per page which no
   * request then pays. Stops when another file, or none, has been placed meanwhile.
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

  /**
   * Takes the file out, which the system may then forget. Anonymous memory takes its place, and costs nothing
   * until written.
   */
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

/** Addresses of this process at which a file is visible. */
export interface MappedRange {
  address: bigint;
  length: number;
  path: string;
}

/**
 * What is mapped in this process, by any of its threads: proc_pid_maps(5). Empty where that cannot be read.
 */
export function mappedFiles(): MappedRange[] {
  let maps: string;
  try {
    maps = readFileSync('/proc/self/maps', 'utf8');
  } catch {
    return [];
  }
  const ranges: MappedRange[] = [];
  for (const line of maps.split('\n')) {
    const [, from, to, path] = /^([0-9a-f]+)-([0-9a-f]+) rw-s 0{8} \S+ \d+ +(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const address = BigInt(`0x${from}`);
    ranges.push({ address, length: Number(BigInt(`0x${to}`) - address), path });
  }
  return ranges;
}

/** A copy of the first bytes at these addresses. */
export function bytesAt({ address }: MappedRange, length: number): Uint8Array {
  return new Uint8Array(calls!.view(address, length)).slice();
}

/** For a range that no JavaScript can reach any more. */
export function unmap({ address, length }: MappedRange): void {
  calls!.munmap(address, length);
}
