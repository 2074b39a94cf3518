/**
 * Which worker has written a line: `slot 2 | ` before each, on terminals where several write.
 *
 * In the worker, not in the coordinator: a pipe between them would break when the coordinator dies, and an
 * app would see no terminal. What is not written through `process.stdout` and `process.stderr`, as Node's own
 * last words, has no prefix.
 *
 * @module
 */

/** Of the terminal's 16: those that are readable on black and on white. */
const COLORS = [36, 33, 32, 35, 34, 31];

type Write = (chunk: string | Uint8Array, ...rest: unknown[]) => boolean;

export function prefixOutput(
  slot: number,
  streams: readonly NodeJS.WriteStream[] = [process.stdout, process.stderr],
): void {
  for (const stream of streams) prefixStream(stream, prefixFor(slot, stream));
}

function prefixFor(slot: number, { isTTY }: NodeJS.WriteStream): string {
  const text = `slot ${slot} |`;
  return isTTY && !process.env.NO_COLOR ? `\x1b[${COLORS[slot % COLORS.length]}m${text}\x1b[39m ` : `${text} `;
}

function prefixStream(stream: NodeJS.WriteStream, prefix: string): void {
  const write = stream.write as Write;
  let isLineStart = true;
  const prefixed = (text: string): string => {
    if (text === '') return text;
    const start = isLineStart ? prefix : '';
    isLineStart = text.endsWith('\n');
    return start + text.replace(/\n(?!$)/g, `\n${prefix}`);
  };
  stream.write = function writePrefixed(chunk: string | Uint8Array, ...rest: unknown[]): boolean {
    // Text in an encoding of its own, base64 say, is not lines.
    if (typeof rest[0] === 'string' && !/^utf-?8$/i.test(rest[0])) return write.call(stream, chunk, ...rest);
    // Each byte is a character of latin1, and back.
    const whole =
      typeof chunk === 'string'
        ? prefixed(chunk)
        : Buffer.from(
            prefixed(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')),
            'latin1',
          );
    return write.call(stream, whole, ...rest);
  } as typeof stream.write;
}
