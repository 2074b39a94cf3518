import { type Memory, memoryOf } from '../wire/memory.js';

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
   * Stores a word that nobody may see before what has been stored earlier: another process on another core,
   * on a machine that reorders stores (ARM). 7 ns more than a plain store.
   */
  publish(word: number, value: number): void {
    Atomics.store(this.words, word, value);
  }
}
