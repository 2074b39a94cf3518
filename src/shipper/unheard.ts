/**
 * What a shipper has to say when its starter, which writes it, has ended: it is kept in the journal's
 * directory, and said by the next process that starts there. A tool of 200 ms whose endpoint is wrong has
 * ended before its shipper knows.
 *
 * @module
 */
import { appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printable } from '../printable.js';
import { type WarningCode, warnings, warnNow } from '../warn.js';

/** What comes later is said by what comes earlier: an endpoint is named once in a minute at most. */
const MOST_BYTES = 16 * 1024;
const MOST_CHARACTERS = 2000;

const pathOf = (dir: string): string => join(dir, 'shipper.warnings');

/** Never throws: what cannot be kept is not said. */
export function keepUnheard(dir: string, { code, message }: NodeJS.ErrnoException): void {
  try {
    const path = pathOf(dir);
    if (code === 'FORKTRACE_EXPORT_RECOVERED') {
      forgetOutage(path, message.split(' accepts ')[0]!);
      return;
    }
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MOST_BYTES) return;
    appendFileSync(path, `${JSON.stringify({ code, message })}\n`, { mode: 0o600 });
  } catch {
    // No space is left, or the directory is gone.
  }
}

/** What could not be sent to an endpoint has been delivered since. */
function forgetOutage(path: string, endpoint: string): void {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const left = lines.filter((line) => {
    const { code, message } = JSON.parse(line);
    return code !== 'FORKTRACE_EXPORT_FAILED' || !message.includes(` to ${endpoint} failed`);
  });
  if (left.length === 0) rmSync(path);
  else writeFileSync(path, `${left.join('\n')}\n`, { mode: 0o600 });
}

/** Says what has been kept, once. Never throws. */
export function sayUnheard(dir: string): void {
  const path = pathOf(dir);
  if (!existsSync(path)) return;
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    rmSync(path);
    for (const line of lines.filter((each) => each !== '')) say(line);
  } catch {
    // Another process has just said it, or it is not to be read.
  }
}

function say(line: string): void {
  const { code, message } = JSON.parse(line) as { code?: unknown; message?: unknown };
  if (typeof code !== 'string' || !(code in warnings) || typeof message !== 'string') return;
  warnNow(code as WarningCode, `After an earlier process had ended: ${printable(message, MOST_CHARACTERS)}`);
}
