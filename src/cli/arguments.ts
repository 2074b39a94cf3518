import { InvalidArgumentError } from 'commander';

/** For commander: `'8'` is 8. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

/** For commander: `'4318'` is 4318; 0 is any that is free. */
export function portNumber(text: string): number {
  const port = wholeNumber(text);
  if (port > 65_535) throw new InvalidArgumentError('Expected a port: 0 to 65535.');
  return port;
}

/** For commander: `'0.5'` is half a billion bytes. */
export function gigabytes(text: string): number {
  const bytes = Number(text) * 1e9;
  if (!(bytes > 0 && Number.isFinite(bytes))) throw new InvalidArgumentError('Expected a number above 0.');
  return bytes;
}

/** Which coordinator is meant. */
export const pidOption = ['--pid <pid>', 'the coordinator, when several clusters run', wholeNumber] as const;

export const jsonOption = ['--json', 'one JSON document'] as const;

/** Writes a result as text, or as one line of JSON. */
export function print(result: object, text: string, { json }: { json?: boolean }): void {
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${text}\n`);
}
