/**
 * Where this process lives: what its pid means is known only there.
 *
 * @module
 */
import { readFileSync, statSync } from 'node:fs';

export interface Whereabouts {
  /** Inode of the pid namespace; 0 where that cannot be read. */
  pidNamespace: number;
  /** Kernel's boot id in hex; {@link UNKNOWN_BOOT} where that cannot be read. */
  bootId: string;
}

export const UNKNOWN_BOOT = '0'.repeat(32);

let here: Whereabouts | undefined;

export function whereabouts(): Whereabouts {
  if (here !== undefined) return here;
  const found = {
    pidNamespace: tryTo(() => statSync('/proc/self/ns/pid').ino) ?? 0,
    bootId:
      tryTo(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '')) ?? UNKNOWN_BOOT,
  };
  // What could not be read for want of a descriptor is looked for again the next time.
  if (found.pidNamespace !== 0 && found.bootId !== UNKNOWN_BOOT) here = found;
  return found;
}

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
