/** `error.type` of what was thrown: a system error's code, a class's name, or the type of what is no error. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : error.name === 'Error' ? error.constructor.name : error.name;
}
