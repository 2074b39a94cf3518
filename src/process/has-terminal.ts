import { closeSync, constants, openSync } from 'node:fs';

/** Whether this process has a controlling terminal, which signals its whole foreground group: tty(4). */
export function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY));
    return true;
  } catch {
    return false;
  }
}
