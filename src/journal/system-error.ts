import { getSystemErrorName } from 'node:util';

/** Linux's errno of a quota that is used up, which Node has no name for: "Unknown system error -122". */
const EDQUOT = 122;

/** @param errno as a C function returns it */
export const errorName = (errno: number): string => (errno === EDQUOT ? 'EDQUOT' : getSystemErrorName(-errno));

/** The code of an error that a function of `node:fs` has thrown. */
export function codeOf(error: unknown): string | undefined {
  const { code, errno } = error as NodeJS.ErrnoException;
  return errno === -EDQUOT ? 'EDQUOT' : code;
}
