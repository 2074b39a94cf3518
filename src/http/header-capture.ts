import type { Attributes } from '@opentelemetry/api';
import { describeValue, ForktraceError } from '../errors.js';
import type { HttpTracing } from './types.js';

/** Headers that carry credentials: their values are never recorded, captured or not. */
const SENSITIVE =
  /^(?:(?:proxy-)?authorization|(?:set-)?cookie|x-api-key|api-key|x-auth-token|x-(?:csrf|xsrf)-token|x-amz-security-token|.*(?:password|secret|session).*)$/i;

const REDACTED = ['[REDACTED]'];

/** Header values by name: `request.headers`, or `response.getHeader`. */
export type ReadHeader = (name: string) => string | string[] | number | undefined;

/**
 * Which headers become `http.request.header.<name>` and `http.response.header.<name>`: those listed in the config, else in
 * `OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST` and `_RESPONSE`. Values of names that match a pattern of
 * `captureHeaders.sanitize`, else `OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS`, are redacted; those of
 * credentials always.
 */
export class HeaderCapture {
  readonly #headers: readonly { readonly name: string; readonly attribute: string; readonly redacted: boolean }[];

  constructor(direction: 'request' | 'response', tracing: HttpTracing, env: NodeJS.ProcessEnv) {
    const { captureHeaders } = tracing;
    const prefix = 'OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS';
    const names = captureHeaders?.[direction] ?? list(env[`${prefix}_SERVER_${direction.toUpperCase()}`]);
    const fields = captureHeaders?.sanitize ?? list(env[`${prefix}_SANITIZE_FIELDS`]);
    const sanitized = fields.map((field, index) =>
      sanitizePattern(field, index, captureHeaders?.sanitize !== undefined),
    );
    this.#headers = names.map((listed) => {
      const name = listed.toLowerCase();
      const redacted = SENSITIVE.test(name) || sanitized.some((pattern) => pattern.test(name));
      return { name, attribute: `http.${direction}.header.${name}`, redacted };
    });
  }

  get isEmpty(): boolean {
    return this.#headers.length === 0;
  }

  addTo(attributes: Attributes, read: ReadHeader): void {
    for (const { name, attribute, redacted } of this.#headers) {
      const value = read(name);
      if (value === undefined) continue;
      attributes[attribute] = redacted ? REDACTED : Array.isArray(value) ? value.map(String) : [String(value)];
    }
  }
}

function sanitizePattern(field: string, index: number, configured: boolean): RegExp {
  try {
    return new RegExp(field, 'i');
  } catch {
    const found = describeValue(field);
    if (configured) {
      const option = `http.captureHeaders.sanitize[${index}]`;
      throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [option, found, 'a regular expression']);
    }
    const variable = 'OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS';
    throw new ForktraceError('FORKTRACE_ENV_INVALID', [variable, found, 'comma-separated regular expressions']);
  }
}

function list(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
}
