import { EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE } from '../wire/conventions.js';

/** An exception by the semantic conventions, as attributes; undefined for what is none. Never throws. */
export function exceptionAttributes(exception: unknown): Record<string, unknown> | undefined {
  if (typeof exception === 'string') return { [EXCEPTION_MESSAGE]: exception };
  if (typeof exception !== 'object' || exception === null) return undefined;
  try {
    // `type` is what pino's serializer of errors calls the name.
    const { name, type, message, stack, code } = exception as Record<string, unknown>;
    return {
      [EXCEPTION_TYPE]: text(name) ?? text(type) ?? text(code),
      [EXCEPTION_MESSAGE]: text(message),
      [EXCEPTION_STACKTRACE]: text(stack),
    };
  } catch {
    return undefined;
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
