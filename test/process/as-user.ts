import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const EVERYONE_MAY_ENTER = 0o001;

/**
 * Why a test cannot have a program of the checkout become another user by itself; false: it can. Another
 * user must be able to read what that loads then.
 */
export function cannotChangeUser(): string | false {
  if (process.geteuid?.() !== 0) return 'SKIPPED: this needs root, to become another user';
  let dir = fileURLToPath(new URL('../..', import.meta.url));
  for (; dir !== dirname(dir); dir = dirname(dir)) {
    if ((statSync(dir).mode & EVERYONE_MAY_ENTER) === 0) return `SKIPPED: other users cannot enter ${dir}`;
  }
  return false;
}

/**
 * The command that runs another one as another user; this one must be root. The other user may read the
 * checkout, wherever it is: below /root nobody else could enter it.
 */
export function asUser(uid: number, gid: number): string[] {
  const mayRead = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...mayRead];
}
