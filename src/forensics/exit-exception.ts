import type { Attributes } from '@opentelemetry/api';
import type { ExitRecord } from '../journal/vitals.js';
import { EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE } from '../wire/conventions.js';

/** The exception that ended a process, by the semantic conventions; empty where none did, or nobody knows. */
export function exitExceptionAttributes(record: ExitRecord | undefined): Attributes {
  const { exceptionType, message, stack } = record ?? {};
  return {
    ...(exceptionType !== undefined && { [EXCEPTION_TYPE]: exceptionType }),
    ...(message !== undefined && { [EXCEPTION_MESSAGE]: message }),
    ...(stack !== undefined && { [EXCEPTION_STACKTRACE]: stack }),
  };
}
