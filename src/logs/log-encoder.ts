/**
 * Encodes log records as OTLP. A value that is circular, too deep, too long, or throws when it is read is cut
 * at that point, and the rest of the record is kept. Secrets are replaced before anything is written.
 *
 * @module
 */
import type { SpanContext } from '@opentelemetry/api';
import type { ResolvedLogs } from '../config/resolved.js';
import { type EncodableValue, Encoder, type SpanWords } from '../journal/encoder.js';
import { isSecretName } from '../secret-name.js';
import { spanWords } from '../tracer/ids.js';
import { tags } from '../wire/message.js';
import { AnyValue, LogRecord } from '../wire/otlp.js';
import type { LogEntry } from './log-entry.js';

const RECORD = tags(LogRecord);
const { stringValue: STRING_VALUE, intValue: INT_VALUE } = tags(AnyValue);

const REDACTED = 'REDACTED';
/** Objects within objects. A deeper one is written as `[Object]` or `[Array]`. */
const MAX_DEPTH = 8;
/** Of one record. A Collector takes messages of 4 MiB, and nobody reads more than this in one record. */
const MAX_RECORD_BYTES = 1024 * 1024;
/** How many field names are remembered as secret or not. A name beyond them is judged again each time. */
const MAX_KNOWN_NAMES = 10_000;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n;

type Limits = Pick<ResolvedLogs, 'attributeCountLimit' | 'textLengthLimit' | 'redact'>;

/** The span of a record. */
export interface LogSpan extends SpanWords {
  readonly traceFlags: number;
}

export function logSpan({ traceId, spanId, traceFlags }: SpanContext): LogSpan {
  return { ...spanWords(traceId, spanId), traceFlags };
}

export class LogEncoder extends Encoder {
  readonly #countLimit: number;
  readonly #lengthLimit: number;
  readonly #patterns: readonly RegExp[];
  readonly #secretNames = new Map<string, boolean>();
  /** The objects that contain the current value, to find circles. */
  readonly #path: object[] = [];

  constructor({ attributeCountLimit, textLengthLimit, redact }: Limits) {
    super();
    this.#countLimit = attributeCountLimit;
    this.#lengthLimit = textLengthLimit;
    this.#patterns = redact.map((pattern) => {
      const { source, flags } = new RegExp(pattern);
      return new RegExp(source, flags.includes('g') ? flags : `${flags}g`);
    });
  }

  /** Encodes `entry`. Its fields are then in `bytes`, up to `at`. Never throws, whatever is logged. */
  record(entry: LogEntry, span: LogSpan | undefined): void {
    this.reset();
    this.timeField(RECORD.timeUnixNano, entry.seconds, entry.nanos);
    this.timeField(RECORD.observedTimeUnixNano, entry.observedSeconds, entry.observedNanos);
    if (entry.severityNumber > 0) {
      this.tag(RECORD.severityNumber);
      this.varint(entry.severityNumber);
    }
    if (entry.severityText) this.cachedStringField(RECORD.severityText, entry.severityText);
    if (entry.eventName) this.stringField(RECORD.eventName, this.#text(entry.eventName));
    if (span !== undefined) this.#span(span);
    if (entry.body !== undefined) {
      this.tag(RECORD.body);
      const body = this.begin();
      this.anyValue(entry.body);
      this.end(body);
    }
    this.#attributes(entry);
  }

  #span(span: LogSpan): void {
    this.tag(RECORD.flags);
    this.fixed32(span.traceFlags);
    this.tag(RECORD.traceId);
    this.varint(16);
    this.idWord(span.trace0);
    this.idWord(span.trace1);
    this.idWord(span.trace2);
    this.idWord(span.trace3);
    this.tag(RECORD.spanId);
    this.varint(8);
    this.idWord(span.span0);
    this.idWord(span.span1);
  }

  #attributes({ attributes, exception }: LogEntry): void {
    let count = 0;
    let dropped = 0;
    const add = (key: string, values: object) => {
      // OTLP demands unique keys.
      if (values !== exception && exception?.[key] !== undefined) return;
      const value = property(values, key);
      if (value === undefined || key === '') return;
      if (count === this.#countLimit) dropped++;
      else {
        count++;
        this.attribute(RECORD.attributes, key, value);
      }
    };
    if (exception !== undefined) for (const key of Object.keys(exception)) add(key, exception);
    if (attributes !== undefined) for (const key of keysOf(attributes)) add(key, attributes);
    if (dropped > 0) {
      this.tag(RECORD.droppedAttributesCount);
      this.varint(dropped);
    }
  }

  override attribute(tag: number, key: string, value: EncodableValue): void {
    super.attribute(tag, key, this.#isSecret(key) ? REDACTED : typeof value === 'string' ? this.#text(value) : value);
  }

  override attributes(tag: number, values: object): void {
    for (const key of keysOf(values)) this.attribute(tag, key, property(values, key));
  }

  override anyValue(value: EncodableValue): void {
    switch (typeof value) {
      case 'string':
        super.anyValue(this.#text(value));
        return;
      case 'bigint':
        if (value < MIN_INT64 || value >= MAX_INT64) this.stringField(STRING_VALUE, String(value));
        else {
          this.tag(INT_VALUE);
          this.int64(value);
        }
        return;
      case 'symbol':
        this.stringField(STRING_VALUE, this.#text(String(value)));
        return;
      case 'function':
        this.stringField(STRING_VALUE, '[Function]');
        return;
      case 'object':
        if (value !== null && !(value instanceof Uint8Array && value.length <= this.#lengthLimit)) this.#object(value);
        else super.anyValue(value);
        return;
      default:
        super.anyValue(value);
    }
  }

  #object(value: object): void {
    const plain = plainOf(value);
    if (typeof plain !== 'object' || plain === null) {
      this.anyValue(plain);
      return;
    }
    const path = this.#path;
    const note = path.includes(value)
      ? '[Circular]'
      : path.length >= MAX_DEPTH
        ? Array.isArray(plain)
          ? '[Array]'
          : '[Object]'
        : this.at > MAX_RECORD_BYTES || plain instanceof Uint8Array
          ? '[Truncated]'
          : undefined;
    if (note !== undefined) {
      this.stringField(STRING_VALUE, note);
      return;
    }
    path.push(value);
    try {
      super.anyValue(plain);
    } finally {
      path.pop();
    }
  }

  /** Cuts a text to its limit and replaces secrets in it. */
  #text(text: string): string {
    // A long text is cut before it is searched for secrets: searching 10 MB would block the event loop.
    const limit = this.at > MAX_RECORD_BYTES ? 0 : this.#lengthLimit;
    let cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
    for (const pattern of this.#patterns) cut = cut.replace(pattern, REDACTED);
    return cut;
  }

  #isSecret(name: string): boolean {
    let isSecret = this.#secretNames.get(name);
    if (isSecret === undefined) {
      isSecret = isSecretName(name);
      if (this.#secretNames.size < MAX_KNOWN_NAMES) this.#secretNames.set(name, isSecret);
    }
    return isSecret;
  }
}

function keysOf(values: object): string[] {
  try {
    return Object.keys(values);
  } catch {
    // A proxy of the program's that throws.
    return [];
  }
}

function property(values: object, key: string): unknown {
  try {
    return (values as Record<string, unknown>)[key];
  } catch (error) {
    return `[Throws: ${error instanceof Error ? error.name : 'an exception'}]`;
  }
}

/** What JSON would make of an object; for an error also its own fields. */
function plainOf(value: object): unknown {
  try {
    if (value instanceof Error) return { ...value, name: value.name, message: value.message, stack: value.stack };
    if (value instanceof Map) return Object.fromEntries(value);
    if (value instanceof Set) return [...value];
    const { toJSON } = value as { toJSON?: unknown };
    return typeof toJSON === 'function' ? toJSON.call(value) : value;
  } catch {
    return '[Throws]';
  }
}
