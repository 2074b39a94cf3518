import type { Attributes, HrTime, Span } from '@opentelemetry/api';
import type { Memory } from '../wire/memory.js';

/** Where exceptions that spans record are kept as log records. Nothing here throws. */
export interface ExceptionLog {
  /** Whether they stay events of their spans, too. */
  readonly besideEvents: boolean;

  /**
   * @param span to which the exception belongs
   * @param scope what a ScopeLogs message of the span's tracer begins with
   * @param attributes those of the semantic conventions
   */
  write(span: Span, scope: Memory, attributes: Attributes, time: HrTime): void;
}
