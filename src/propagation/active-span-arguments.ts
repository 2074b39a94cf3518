import { type Context, context, type Span, type SpanOptions } from '@opentelemetry/api';

/**
 * What `startActiveSpan` of a tracer was called with, in any of the API's forms: (name, fn), (name, options,
 * fn), (name, options, context, fn), where options and context may be undefined. Undefined when there is
 * nothing to call, as with the SDK.
 */
export function activeSpanArguments<F extends (span: Span) => unknown>(
  second: F | SpanOptions | undefined,
  third: F | Context | undefined,
  fourth: F | undefined,
): { options: SpanOptions; parent: Context; fn: F } | undefined {
  const fn = fourth ?? third ?? second;
  if (typeof fn !== 'function') return undefined;
  const options = fn === second ? undefined : (second as SpanOptions | undefined);
  const given = fourth === undefined ? undefined : (third as Context | undefined);
  return { options: options ?? {}, parent: given ?? context.active(), fn };
}
