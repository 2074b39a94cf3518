/** Methods of RFC 9110, PATCH (RFC 5789) and QUERY: what semantic conventions take as known. */
const STANDARD_METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE', 'QUERY'];

/** `http.request.method` of a method that is not known. */
export const OTHER_METHOD = '_OTHER';

/** The known methods: `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` (comma-separated) replaces the standard ones. */
export function knownMethods(env: NodeJS.ProcessEnv): ReadonlySet<string> {
  const listed = env.OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS;
  if (!listed) return new Set(STANDARD_METHODS);
  return new Set(
    listed
      .split(',')
      .map((method) => method.trim())
      .filter(Boolean),
  );
}
