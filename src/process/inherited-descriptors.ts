import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** Those below are closed at an exec by the program before: it has marked them at its start. */
const MARKED_BELOW = 16;
/** As the kernel prints it, on every architecture for which there is a Node.js: fcntl-linux.h. */
const O_CLOEXEC = 0o2000000;

/**
 * Closes the files that this process has from whoever started its starter: the lock of `flock 200`, the pipe
 * by which a tool sees that its child has ended, a socket of a native module. A companion outlives its
 * starter, and would hold them. Everything that Node.js opens is closed at an exec, so what is not is
 * somebody else's. Linux alone says which these are.
 */
export function closeInherited(): void {
  let descriptors: string[];
  try {
    descriptors = readdirSync('/proc/self/fd');
  } catch {
    return;
  }
  for (const descriptor of descriptors) if (Number(descriptor) >= MARKED_BELOW) closeIfInherited(descriptor);
}

function closeIfInherited(descriptor: string): void {
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
    if (flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0) closeSync(Number(descriptor));
  } catch {
    // The one with which the directory was read is closed by now.
  }
}
