/**
 * Which worker has written a line, on terminals where several write.
 *
 * The coordinator does it, which reads the workers' output: whatever writes to it. In the worker it is done
 * where the coordinator does not read, because the app has set up cluster's `stdio` itself or debugs its
 * workers: then what does not go through `process.stdout` has no slot.
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
    // Text in an encoding of its own, base64 say, is not lines.
    if (typeof rest[0] === 'string' && !/^utf-?8$/i.test(rest[0])) return write.call(stream, chunk, ...rest);
    return write.call(stream, typeof chunk === 'string' ? prefix.text(chunk) : prefix.bytes(chunk), ...rest);
  } as typeof stream.write;
}
