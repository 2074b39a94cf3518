/**
 * The logs API of OpenTelemetry over the journal: what instrumentations of pino, winston and bunyan, and
 * programs, emit. The types are those of `@opentelemetry/api-logs` and of the logs API in
 * `@opentelemetry/api` 1.10, which an app may have or not.
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

/** As that of the tracer provider. */
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

  /** Of pino's own instrumentation: a destination of ours has the same lines. */
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
      // A record of the program's that throws when it is read.
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

  /** @param deliver waits until a shipper has exported all log records; false at the deadline */
  constructor(writer: LogWriter, deliver: (timeoutMs: number) => Promise<boolean>) {
    this.#writer = writer;
    this.#deliver = deliver;
  }

  /**
   * Waits until the endpoint has taken what has been logged. Does not reject.
   *
   * @param options `timeoutMillis` in milliseconds @default 30000
   * @returns false at the deadline, or where records were lost meanwhile
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
