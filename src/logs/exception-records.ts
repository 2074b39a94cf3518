import { type Attributes, type HrTime, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import type { ExceptionLog } from '../tracer/exception-log.js';
import { wholeTime } from '../tracer/time-input.js';
import { EXCEPTION_EVENT } from '../wire/conventions.js';
import { SEVERITY } from '../wire/level.js';
import type { Memory } from '../wire/memory.js';
import type { LogWriter } from './log-writer.js';

/**
 * Keeps exceptions that spans record as log records, the event `exception`:
 * https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-logs/
 */
export class ExceptionRecords implements ExceptionLog {
  readonly besideEvents: boolean;
  readonly #writer: LogWriter;

  constructor(writer: LogWriter, besideEvents: boolean) {
    this.#writer = writer;
    this.besideEvents = besideEvents;
  }

  write(span: Span, scope: Memory, attributes: Attributes, time: HrTime): void {
    const [seconds, nanos] = wholeTime(time);
    this.#writer.write(
      scope,
      {
        ...{ seconds, nanos, observedSeconds: seconds, observedNanos: nanos },
        severityNumber: SEVERITY.error,
        severityText: undefined,
        body: undefined,
        attributes: undefined,
        exception: attributes,
        eventName: EXCEPTION_EVENT,
      },
      trace.setSpan(ROOT_CONTEXT, span),
    );
  }
}
