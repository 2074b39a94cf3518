/**
 * Puts the slot before each line that this worker writes, for a terminal to which several workers write.
 *
 * Usually the coordinator does so, because it reads all of a worker's output. The worker does it where the
 * coordinator does not read: the app has set node:cluster's `stdio` itself, or debugs its workers. Then only
 * output through `process.stdout` and `process.stderr` has a slot.
 *
 * @module
 */
import { LinePrefix } from '../process/line-prefix.js';

type Write = (chunk: string | Uint8Array, ...rest: unknown[]) => boolean;

export function prefixOutput(slot: number, streams: readonly NodeJS.WriteStream[]): void {
  for (const stream of streams) prefixStream(stream, new LinePrefix(slot, stream.isTTY === true));
}

function prefixStream(stream: NodeJS.WriteStream, prefix: LinePrefix): void {
  const write = stream.write as Write;
  stream.write = function writePrefixed(chunk: string | Uint8Array, ...rest: unknown[]): boolean {
    // Text in another encoding, such as base64, does not consist of lines.
    if (typeof rest[0] === 'string' && !/^utf-?8$/i.test(rest[0])) return write.call(stream, chunk, ...rest);
    return write.call(stream, typeof chunk === 'string' ? prefix.text(chunk) : prefix.bytes(chunk), ...rest);
  } as typeof stream.write;
}
