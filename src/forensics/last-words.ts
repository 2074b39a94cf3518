import type { ResolvedConfig } from '../config/resolved.js';
import { warn } from '../warn.js';

/** The most bytes of a worker's standard error that are kept as its last words. */
export const LAST_WORDS_BYTES = 16 * 1024;

/** Takes secrets out of last words before they leave the machine. */
export type RedactLastWords = ResolvedConfig['forensics']['redactLastWords'];

/** The last words as the options allow to tell them; undefined for none. Never throws. */
export function redacted(said: string, redact: RedactLastWords): string | undefined {
  try {
    const text: unknown = redact === undefined ? said : redact(said);
    return typeof text === 'string' && text !== '' ? text.slice(-LAST_WORDS_BYTES) : undefined;
  } catch (error) {
    warn('FORKTRACE_HOOK_FAILED', `forensics.redactLastWords threw, and no last words are written: ${String(error)}`);
    return undefined;
  }
}
