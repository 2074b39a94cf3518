import type { Server } from 'node:net';
import { ForktraceError } from '../../errors.js';

/** Ports tried upwards from the wanted one. */
const TRIES = 20;
/**
 * Steps of ten, so that a moved OTLP/HTTP port does not land on another receiver's gRPC port, which is next
 * to it.
 */
const STEP = 10;

/**
 * Binds the wanted port, or the next free one: 4318, 4328, 4338 …
 *
 * @throws ForktraceError FORKTRACE_VIEWER_PORT, FORKTRACE_LISTEN
 * @param bind resolves with the bound port; rejects with `EADDRINUSE` or `EACCES` when that port cannot be
 * had
 */
export async function firstFreePort(
  host: string,
  wanted: number,
  bind: (port: number) => Promise<number>,
): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      return await bind(wanted === 0 ? 0 : wanted + attempt * STEP);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (wanted !== 0 && (code === 'EADDRINUSE' || code === 'EACCES')) continue;
      throw new ForktraceError('FORKTRACE_LISTEN', [`${host}:${wanted}`, (error as Error).message], { cause: error });
    }
  }
  throw new ForktraceError('FORKTRACE_VIEWER_PORT', [host, wanted, TRIES]);
}

/** `server.listen` as a promise of the port. */
export function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      // accept(2) without a descriptor left: the client is refused, the server goes on.
      server.on('error', () => {});
      resolve((server.address() as { port: number }).port);
    });
  });
}
