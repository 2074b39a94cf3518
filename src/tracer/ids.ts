/**
 * Trace and span ids as 32-bit integers: six of them make a span's identity without a string or an array. Hex
 * is made when somebody asks.
 *
 * @module
 */
import type { SpanWords } from '../journal/encoder.js';
import { fillAtStart } from '../journal/random-bytes.js';

/** One call of the random generator serves this many words. */
const POOL_WORDS = 4096;

/**
 * Loading the generator takes 6 ms. A process that lives longer than this does so between two requests, not
 * within the one that uses up the first pool.
 */
const LOADED_AFTER_MS = 1000;

const pool = new Int32Array(POOL_WORDS);
let next = POOL_WORDS;
let isFirst = true;

/** 32 random bits. */
export function randomWord(): number {
  if (next === POOL_WORDS) {
    fill();
    next = 0;
  }
  return pool[next++]!;
}

function fill(): void {
  // Before it is read: an instrumentation of `fs` makes a span of that, which needs ids, too.
  const fillNow = isFirst ? fillAtStart : generator().randomFillSync;
  if (isFirst) {
    isFirst = false;
    setTimeout(generator, LOADED_AFTER_MS).unref();
  }
  fillNow(new Uint8Array(pool.buffer));
}

const generator = () => process.getBuiltinModule('node:crypto');

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Eight hex digits. */
export function wordToHex(word: number): string {
  return HEX[word >>> 24]! + HEX[(word >>> 16) & 0xff]! + HEX[(word >>> 8) & 0xff]! + HEX[word & 0xff]!;
}

/** The word of the eight hex digits at `from`; a character that is none counts as 0. */
export function hexToWord(hex: string, from: number): number {
  let word = 0;
  for (let i = from; i < from + 8; i++) {
    const code = hex.charCodeAt(i);
    let digit = 0;
    if (code >= 48 && code <= 57) digit = code - 48;
    else if (code >= 97 && code <= 102) digit = code - 87;
    else if (code >= 65 && code <= 70) digit = code - 55;
    word = (word << 4) | digit;
  }
  return word;
}

/** The words of ids in hex digits. */
export function spanWords(traceId: string, spanId: string): SpanWords {
  return {
    trace0: hexToWord(traceId, 0),
    trace1: hexToWord(traceId, 8),
    trace2: hexToWord(traceId, 16),
    trace3: hexToWord(traceId, 24),
    span0: hexToWord(spanId, 0),
    span1: hexToWord(spanId, 8),
  };
}
