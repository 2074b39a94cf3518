/**
 * The few random bytes that a start needs, from the system itself: `node:crypto` costs a process 6 ms of CPU
 * when it is first loaded (Node 24), and a tool may end before it needs more than these.
 *
 * @module
 */
import { closeSync, openSync, readSync } from 'node:fs';

const DEVICE = '/dev/urandom';

/** Fills `bytes` with what the system's generator gives: random(4). */
export function fillAtStart(bytes: Uint8Array): void {
  if (!readDevice(bytes)) process.getBuiltinModule('node:crypto').randomFillSync(bytes);
}

/** Hex digits of as many random bytes. */
export function randomHexAtStart(length: number): string {
  const bytes = Buffer.alloc(length);
  fillAtStart(bytes);
  return bytes.toString('hex');
}

/** A UUID of version 4: RFC 9562, section 5.4. */
export function randomUuidAtStart(): string {
  const bytes = Buffer.alloc(16);
  fillAtStart(bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** @returns false where there is none, it may not be read, or there is no descriptor left */
function readDevice(bytes: Uint8Array): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(DEVICE, 'r');
    return readSync(fd, bytes, 0, bytes.length, null) === bytes.length;
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
