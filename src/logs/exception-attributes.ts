import { EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE } from '../wire/conventions.js';

/**
 * The attributes of an exception, named by the semantic conventions. Undefined for a value that is no
 * exception. Never throws.
 */
export function exceptionAttributes(exception: unknown): Record<string, unknown> | undefined {
  if (typeof exception === 'string') return { [EXCEPTION_MESSAGE]: exception };
  if (typeof exception !== 'object' || exception === null) return undefined;
  try {
    // pino's error serializer writes the name of an error as `type`.
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
