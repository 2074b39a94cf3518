import type { ResolvedConfig } from '../config/resolved.js';
import { warn } from '../warn.js';

/** The most that is told of what a worker wrote to its standard error. */
export const LAST_WORDS_BYTES = 16 * 1024;

/** Takes out of last words what must not leave the machine. */
export type RedactLastWords = ResolvedConfig['forensics']['redactLastWords'];

/** The last words as the configuration lets them be told; undefined for nothing. Never throws. */
export function redacted(said: string, redact: RedactLastWords): string | undefined {
  try {
    const text: unknown = redact === undefined ? said : redact(said);
    return typeof text === 'string' && text !== '' ? text.slice(-LAST_WORDS_BYTES) : undefined;
  } catch (error) {
    warn('FORKTRACE_HOOK_FAILED', `forensics.redactLastWords threw, and no last words are written: ${String(error)}`);
    return undefined;
  }
}
