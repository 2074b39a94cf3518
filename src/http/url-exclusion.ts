import { describeValue, ForktraceError } from '../errors.js';
import type { HttpTracing } from './types.js';

/**
 * The patterns whose match in `scheme://host/path` leaves a request without span and metric: those in code and those of
 * `OTEL_NODE_<KEY>_EXCLUDED_URLS`, else `OTEL_NODE_EXCLUDED_URLS`, comma-separated.
 *
 * @throws ForktraceError with code FORKTRACE_CONFIG_INVALID or FORKTRACE_ENV_INVALID when one is no regular expression
 */
export function excludedUrls(tracing: HttpTracing, env: NodeJS.ProcessEnv): readonly RegExp[] {
  const patterns = (tracing.excludeUrls ?? []).map((pattern, index) => {
    // Without `g` and `y`, which would carry a position from one request to the next.
    if (pattern instanceof RegExp) return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    const compiled = compile(pattern);
    if (compiled) return compiled;
    const found = describeValue(pattern);
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [`http.excludeUrls[${index}]`, found, 'a regular expression']);
  });

  const own = `OTEL_NODE_${tracing.excludeUrlsEnvKey ?? 'HTTP'}_EXCLUDED_URLS`;
  const variable = env[own] === undefined ? 'OTEL_NODE_EXCLUDED_URLS' : own;
  for (const part of (env[variable] ?? '').split(',')) {
    const source = part.trim();
    if (source === '') continue;
    const compiled = compile(source);
    if (!compiled) {
      const expected = 'comma-separated regular expressions';
      throw new ForktraceError('FORKTRACE_ENV_INVALID', [variable, describeValue(source), expected]);
    }
    patterns.push(compiled);
  }
  return patterns;
}

function compile(source: unknown): RegExp | undefined {
  if (typeof source !== 'string') return undefined;
  try {
    return new RegExp(source);
  } catch {
    return undefined;
  }
}
