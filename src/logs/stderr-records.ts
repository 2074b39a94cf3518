/**
 * What a worker's standard error says, as log records of the process that reads it: what Node.js and native
 * code print there, and whatever else has not come by `console`.
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

/** Characters of a record; what is longer is several. */
const LONGEST = 65_536;

export class StderrRecords {
  readonly #writer: LogWriter;
  readonly #attributes: object;
  readonly #decoder = new StringDecoder('utf8');
  #line = '';

  /**
   * @param whose who writes there, for messages
   * @param attributes of each record: who has written it
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
      // A stack, the line of code that threw: what is indented belongs to what stands above it.
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

  /** Keeps a line that has no end, and says what was dropped. */
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
