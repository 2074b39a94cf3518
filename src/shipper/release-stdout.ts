import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { Writable } from 'node:stream';

const STDOUT = 1;

/**
 * Lets go of the standard output that the shipper has from its starter, for what prints spans. Who reads a
 * program's output waits until everybody who could write to it has closed it (read(2): no end of file
 * before): `exec()` with its callback, a shell with the end of `| tee`.
 */
export function releaseStdout(): void {
  // Where there is no descriptor left, the output is kept.
  const reserved = openSync(devNull, 'w');
  closeSync(STDOUT);
  // open(2) takes the lowest free descriptor, this one: nothing must end up in whatever is opened next.
  openSync(devNull, 'w');
  closeSync(reserved);
  // A terminal that has been written to has been opened once more, for Node's stream.
  const stream = process.stdout as NodeJS.WriteStream & { _handle?: { close(): void } | null };
  if (!stream.isTTY) return;
  stream._handle?.close();
  Object.defineProperty(process, 'stdout', { get: () => nowhere, configurable: true });
}

const nowhere = new Writable({
  write(_chunk, _encoding, written) {
    written();
  },
});
