/**
 * The command that runs another one as another user; this one must be root. The other user may read the
 * checkout, wherever it is: below /root nobody else could enter it.
 */
export function asUser(uid: number, gid: number): string[] {
  const mayRead = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...mayRead];
}
