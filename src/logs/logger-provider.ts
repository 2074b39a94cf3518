/**
 * OpenTelemetry's logs API over the journal: it takes the records of programs and of the instrumentations of
 * pino, winston and bunyan. The types are those of `@opentelemetry/api-logs` and of the logs API in
 * `@opentelemetry/api` 1.10. An app may have either or none.
 *
 * @module
 */
import type { Context, TimeInput } from '@opentelemetry/api';
import { encodeScopeFields } from '../journal/encoder.js';
import { clock } from '../tracer/clock.js';
import { timeInputToHrTime, wholeTime } from '../tracer/time-input.js';
import type { Memory } from '../wire/memory.js';
import { exceptionAttributes } from './exception-attributes.js';
import type { LogWriter } from './log-writer.js';
import { logsState } from './logs-state.js';

/** The same as that of the tracer provider. */
const FORCE_FLUSH_TIMEOUT_MS = 30_000;
const PINO_INSTRUMENTATION = '@opentelemetry/instrumentation-pino';

/** `LogRecord` of the API. */
export interface EmittedRecord {
  eventName?: string;
  timestamp?: TimeInput;
  observedTimestamp?: TimeInput;
  severityNumber?: number;
  severityText?: string;
  body?: unknown;
  attributes?: object;
  exception?: unknown;
  context?: Context;
}

export class JournalLogger {
  readonly #scope: Memory;
  readonly #writer: LogWriter;

  /**
   * This logger belongs to pino's own instrumentation. Where our pino destination is in use, it has written
   * the same lines.
   */
  readonly #isPino: boolean;

  constructor(scope: Memory, writer: LogWriter, isPino: boolean) {
    this.#isPino = isPino;
    this.#scope = scope;
    this.#writer = writer;
  }

  emit(record: EmittedRecord): void {
    if (this.#isPino && logsState.hasPinoDestination) return;
    try {
      this.#emit(record);
    } catch {
      // Reading the program's record threw.
    }
  }

  enabled(options?: { severityNumber?: number }): boolean {
    return this.#writer.takes(options?.severityNumber ?? 0);
  }

  #emit(record: EmittedRecord): void {
    const { severityNumber = 0, severityText, body, attributes, eventName, exception } = record;
    if (!this.#writer.takes(severityNumber)) return;
    const now = performance.now();
    clock.check(now);
    clock.convert(now, clock.anchor);
    const here: [number, number] = [clock.seconds, clock.nanos];
    const observed = timeOf(record.observedTimestamp) ?? here;
    const [seconds, nanos] = timeOf(record.timestamp) ?? observed;
    this.#writer.write(
      this.#scope,
      {
        seconds,
        nanos,
        observedSeconds: observed[0],
        observedNanos: observed[1],
        severityNumber,
        severityText,
        body,
        attributes: typeof attributes === 'object' && attributes !== null ? attributes : undefined,
        exception: exceptionAttributes(exception),
        eventName,
      },
      record.context,
    );
  }
}

function timeOf(input: TimeInput | undefined): [number, number] | undefined {
  const time = input === undefined ? undefined : timeInputToHrTime(input, clock.anchor);
  return time && wholeTime(time);
}

export class JournalLoggerProvider {
  readonly #writer: LogWriter;
  readonly #deliver: (timeoutMs: number) => Promise<boolean>;
  readonly #loggers = new Map<string, JournalLogger>();

  /** @param deliver waits until a shipper has exported all log records; returns false at the deadline */
  constructor(writer: LogWriter, deliver: (timeoutMs: number) => Promise<boolean>) {
    this.#writer = writer;
    this.#deliver = deliver;
  }

  /**
   * Waits until the endpoint has taken everything that has been logged. Does not reject.
   *
   * @param options `timeoutMillis` in milliseconds @default 30000
   * @returns false at the deadline, or when records were lost in the meantime
   */
  async forceFlush(options?: { timeoutMillis?: number }): Promise<boolean> {
    return this.#deliver(options?.timeoutMillis ?? FORCE_FLUSH_TIMEOUT_MS);
  }

  getLogger(name: string, version?: string, options?: { schemaUrl?: string }): JournalLogger {
    const schemaUrl = options?.schemaUrl;
    const key = JSON.stringify([name, version, schemaUrl]);
    let logger = this.#loggers.get(key);
    if (logger === undefined) {
      const scope = encodeScopeFields({
        name: String(name ?? ''),
        ...(version !== undefined && { version: String(version) }),
        ...(schemaUrl !== undefined && { schemaUrl: String(schemaUrl) }),
      });
      logger = new JournalLogger(scope, this.#writer, name === PINO_INSTRUMENTATION);
      this.#loggers.set(key, logger);
    }
    return logger;
  }
}
