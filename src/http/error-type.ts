/**
 * `error.type` of a response that the server itself cut short: it destroyed the response or the connection.
 */
export const CLOSED_BY_SERVER = 'closed_by_server';

/**
 * `error.type` of what was thrown: a system error's code, a class's name, or the type of what is no error.
 */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : error.name === 'Error' ? error.constructor.name : error.name;
}

const GONE = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE']);

/** Whether a socket's error says that the other end has gone away. */
export function isGone(error: unknown): boolean {
  return GONE.has((error as NodeJS.ErrnoException | undefined)?.code);
}
