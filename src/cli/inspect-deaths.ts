import { ForktraceError } from '../errors.js';
import { readPostMortems } from '../forensics/post-mortem.js';
import { foundAt } from './journals-at.js';
import { deathLine, postMortemText } from './post-mortem-text.js';

/**
 * The text of `forktrace inspect --deaths` and `--death`.
 *
 * @throws ForktraceError with code FORKTRACE_NO_DEATH
 */
export function inspectDeaths(path: string, { death, json }: { death?: string | true; json?: boolean }): string {
  const all = readPostMortems(path);
  const wanted = death === undefined ? all : all.filter(({ id }) => death === true || id.startsWith(death)).slice(0, 1);
  if (wanted.length === 0) {
    const found = all.length === 0 ? foundAt(path) : `the deaths ${all.map(({ id }) => id).join(', ')}`;
    throw new ForktraceError('FORKTRACE_NO_DEATH', [path, found]);
  }
  if (json) return wanted.map((one) => `${JSON.stringify(one)}\n`).join('');
  return wanted.map(death === undefined ? deathLine : postMortemText).join('\n');
}
