import { statSync } from 'node:fs';

/** Inode of the machine's own pid namespace: `PROC_PID_INIT_INO` in Linux's include/linux/proc_ns.h. */
const MACHINE = 0xeffffffc;

/**
 * Whether this process is PID 1 of a container: when it ends, the kernel kills everything in its pid
 * namespace, the shipper too.
 */
export const endsNamespace = process.pid === 1;

/**
 * Whether this process is in a container. There everything ends when PID 1 ends, and PID 1 often ends because
 * this process does.
 */
export function isInContainer(): boolean {
  try {
    return statSync('/proc/self/ns/pid').ino !== MACHINE;
  } catch {
    return false; // Not Linux.
  }
}
