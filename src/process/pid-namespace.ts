import { statSync } from 'node:fs';

/** Inode of the machine's own pid namespace: `PROC_PID_INIT_INO` in Linux's include/linux/proc_ns.h. */
const MACHINE = 0xeffffffc;

/**
 * Whether the kernel kills everything in this pid namespace, a shipper too, when this process ends: PID 1 of
 * a container.
 */
export const endsNamespace = process.pid === 1;

/**
 * Whether this process is in a container: when PID 1 ends, as it often does because this process does, all
 * ends.
 */
export function isInContainer(): boolean {
  try {
    return statSync('/proc/self/ns/pid').ino !== MACHINE;
  } catch {
    return false; // No Linux.
  }
}
