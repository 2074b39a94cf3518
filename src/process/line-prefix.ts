/**
 * Puts `slot 2 | ` before each line, so that a reader sees which worker has written it.
 *
 * @module
 */

/** Those of a terminal's 16 colours that are readable on black and on white. */
const COLORS = [36, 33, 32, 35, 34, 31];

/**
 * Puts the slot before each line that one worker writes to one stream. A line may be written in several
 * pieces.
 */
export class LinePrefix {
  readonly #prefix: string;
  #isLineStart = true;

  /** @param isTerminal gives each slot a colour, unless NO_COLOR is set */
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
    // latin1 makes a character of each byte, and the same byte of each character.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    return Buffer.from(this.text(text), 'latin1');
  }
}
