/**
 * Keeps a worker's standard error as log records, in the process that reads it: what Node.js and native code
 * print there, and everything else that is not written through `console`.
 *
 * @module
 */
import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';
import type { ResolvedLogs } from '../config/resolved.js';
import { encodeScopeFields } from '../journal/encoder.js';
import type { Journal } from '../journal/journal.js';
import { LOG_IOSTREAM } from '../wire/conventions.js';
import { entryNow } from './log-entry.js';
import { LogWriter } from './log-writer.js';

const SCOPE = encodeScopeFields({ name: 'stderr' });

/** Most characters of a record. Longer text becomes several records. */
const LONGEST = 65_536;

export class StderrRecords {
  readonly #writer: LogWriter;
  readonly #attributes: object;
  readonly #decoder = new StringDecoder('utf8');
  #line = '';

  /**
   * @param whose the name of the worker in messages
   * @param attributes of each record: which process has written it
   */
  constructor(options: ResolvedLogs, journal: Journal, whose: string, attributes: object) {
    this.#writer = new LogWriter(options, journal, whose);
    this.#attributes = { ...attributes, [LOG_IOSTREAM]: 'stderr' };
  }

  push(chunk: Buffer): void {
    const lines = (this.#line + this.#decoder.write(chunk)).split('\n');
    this.#line = lines.pop()!;
    let record = '';
    for (const line of lines) {
      // An indented line belongs to the line above it: a stack, or the line of code that threw.
      if (record !== '' && /^\s/.test(line)) {
        record += `\n${line}`;
        continue;
      }
      this.#keep(record);
      record = line;
    }
    this.#keep(record);
    if (this.#line.length < LONGEST) return;
    this.#keep(this.#line);
    this.#line = '';
  }

  /** Keeps the last line if it has no end, and reports what was dropped. */
  end(): void {
    this.#keep(this.#line + this.#decoder.end());
    this.#line = '';
    this.#writer.end();
  }

  #keep(text: string): void {
    for (let at = 0; at < text.length; at += LONGEST) {
      const body = stripVTControlCharacters(text.slice(at, at + LONGEST)).trimEnd();
      if (body !== '') this.#writer.write(SCOPE, { ...entryNow(), body, attributes: this.#attributes });
    }
  }
}
