/**
 * Text that somebody else has written, as a terminal or a log may show it: an endpoint's answer, what a
 * socket says. Control characters go, those that begin escape sequences and those that turn the direction of
 * writing included; what is left is one line.
 *
 * @module
 */

/**
 * C0, DEL and C1 controls, line and paragraph separators, and the marks that reorder text (Unicode, UAX #9).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/g;

/** @param most characters that are kept; `…` stands for the rest */
export function printable(text: string, most = 300): string {
  // What is cut off anyway is not searched.
  const line = text
    .slice(0, most * 4)
    .replace(UNPRINTABLE, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
