/**
 * Which worker has written a line: `slot 2 | ` before each.
 *
 * @module
 */

/** Of the terminal's 16: those that are readable on black and on white. */
const COLORS = [36, 33, 32, 35, 34, 31];

/**
 * Puts the slot before each line of what one worker writes to one stream, however lines are cut into writes.
 */
export class LinePrefix {
  readonly #prefix: string;
  #isLineStart = true;

  /** @param isTerminal with a colour for each slot, unless NO_COLOR is set */
  constructor(slot: number, isTerminal: boolean) {
    const text = `slot ${slot} |`;
    const color = COLORS[slot % COLORS.length];
    this.#prefix = isTerminal && !process.env.NO_COLOR ? `\x1b[${color}m${text}\x1b[39m ` : `${text} `;
  }

  text(text: string): string {
    if (text === '') return text;
    const start = this.#isLineStart ? this.#prefix : '';
    this.#isLineStart = text.endsWith('\n');
    return start + text.replace(/\n(?!$)/g, `\n${this.#prefix}`);
  }

  bytes(bytes: Uint8Array): Buffer {
    // Each byte is a character of latin1, and back.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    return Buffer.from(this.text(text), 'latin1');
  }
}
