import type { Attributes } from '@opentelemetry/api';
import type { ExitRecord } from '../journal/vitals.js';
import { EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE } from '../wire/conventions.js';

/**
 * The attributes of the exception that ended a process, named by the semantic conventions. Empty when no
 * exception ended it, or none is known.
 */
export function exitExceptionAttributes(record: ExitRecord | undefined): Attributes {
  const { exceptionType, message, stack } = record ?? {};
  return {
    ...(exceptionType !== undefined && { [EXCEPTION_TYPE]: exceptionType }),
    ...(message !== undefined && { [EXCEPTION_MESSAGE]: message }),
    ...(stack !== undefined && { [EXCEPTION_STACKTRACE]: stack }),
  };
}
