import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';

/** As sent. A Collector's own default is 20 MiB. */
export const MAX_BODY_BYTES = 20 * 1024 * 1024;
/** After decompression: a few kilobytes of gzip can hold gigabytes. */
export const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;
/** Bodies being read at once; more are told to come again. */
const MAX_PENDING_BYTES = 256 * 1024 * 1024;

/** A request that is answered with `status` and this message. */
export class HttpError extends Error {
  override readonly name = 'HttpError';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const decompressors = { gzip: promisify(gunzip), deflate: promisify(inflate), br: promisify(brotliDecompress) };

let pendingBytes = 0;

/**
 * The whole body, decompressed.
 *
 * @throws HttpError 400, 413, 415 or 503
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  const decompress = decompressors[encoding as keyof typeof decompressors];
  if (decompress === undefined && encoding !== 'identity') {
    throw new HttpError(415, `Content-Encoding ${JSON.stringify(encoding.slice(0, 40))}, expected gzip, deflate or br`);
  }
  const body = await readBytes(request);
  if (decompress === undefined) return body;
  try {
    return await decompress(body, { maxOutputLength: MAX_DECOMPRESSED_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new HttpError(413, `the body is more than ${MAX_DECOMPRESSED_BYTES} bytes when decompressed`);
    }
    throw new HttpError(400, `the body is not ${encoding}: ${(error as Error).message}`);
  }
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = () => new HttpError(413, `the body is more than ${MAX_BODY_BYTES} bytes`);
  if (Number(request.headers['content-length']) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      pendingBytes += chunk.length;
      if (length > MAX_BODY_BYTES) throw tooLarge();
      if (pendingBytes > MAX_PENDING_BYTES) throw new HttpError(503, 'too many requests at once');
      chunks.push(chunk);
    }
  } finally {
    pendingBytes -= length;
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
}
