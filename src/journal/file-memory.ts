import { type Memory, memoryOf } from '../wire/memory.js';

/** Intel's and AMD's manuals: a store is not seen before an older one of the same processor. */
const KEEPS_STORES_IN_ORDER = process.arch === 'x64' || process.arch === 'ia32';

/**
 * The bytes of one file while it is being written, from its first byte, and the views through which they are
 * stored.
 */
export class FileMemory {
  readonly bytes: Uint8Array;
  readonly memory: Memory;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;

  constructor(buffer: ArrayBuffer) {
    this.bytes = new Uint8Array(buffer);
    this.memory = memoryOf(this.bytes);
    this.words = new Uint32Array(buffer, 0, buffer.byteLength >> 2);
    this.doubles = new Float64Array(buffer, 0, buffer.byteLength >> 3);
  }

  /**
   * Stores a word that nobody may see before what has been stored earlier: another process on another core.
   * Processors of the x86 line keep stores in order. On others (ARM) it takes an atomic store, a call that
   * waits until all stores before it are done: of a request with 3 child spans, 0.7 µs.
   */
  publish(word: number, value: number): void {
    if (KEEPS_STORES_IN_ORDER) this.words[word] = value;
    else Atomics.store(this.words, word, value);
  }
}
