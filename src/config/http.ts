/**
 * @module The options of HTTP server spans, compiled: what is wrong with them is said at start, and nothing
 * is compiled again.
 */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { describeValue, ForktraceError } from '../errors.js';
import type { Environment } from './environment.js';
import { compilePattern, type Kind, token } from './kinds.js';
import { serving } from './options/http.js';
import { readOptions } from './read-options.js';
import type { ResolvedHttp, TrustProxy } from './resolved.js';
import type { HttpTracingConfig } from './types.js';

/** RFC 9110's methods, PATCH (RFC 5789) and QUERY: what semantic conventions take as known. */
const STANDARD_METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE', 'QUERY'];

/** @throws ForktraceError with code FORKTRACE_CONFIG_INVALID */
export function resolveHttp(config: HttpTracingConfig | undefined, environment: Environment): ResolvedHttp {
  const options = readOptions(serving.http.entries, config, environment, 'http');
  const { captureHeaders } = options;
  const methods = environment.list('OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS', token);
  return Object.freeze({
    excludedUrls: Object.freeze(excludedUrls(options, environment)),
    ignoreIncomingRequestHook: options.ignoreIncomingRequestHook,
    requireParentforIncomingSpans: options.requireParentforIncomingSpans,
    spanDetails: options.spanDetails,
    serverRequestHook: options.serverRequestHook,
    responseHook: options.responseHook,
    applyCustomAttributesOnSpan: options.applyCustomAttributesOnSpan,
    clientRequestHook: options.clientRequestHook,
    clientResponseHook: options.clientResponseHook,
    // Their spans are what these hooks are for.
    messageSpans: options.messageSpans ?? Boolean(options.clientRequestHook ?? options.clientResponseHook),
    excludeSpans: Object.freeze(options.excludeSpans ?? []),
    redactQueryParams: Object.freeze(options.redactQueryParams ?? []),
    trustIncomingContext: options.trustIncomingContext,
    trustProxy: trustedProxies(options.trustProxy),
    captureHeaders: Object.freeze({
      request: Object.freeze(captureHeaders.request ?? []),
      response: Object.freeze(captureHeaders.response ?? []),
      sanitize: Object.freeze((captureHeaders.sanitize ?? []).map((source) => new RegExp(source, 'i'))),
    }),
    responseHeader: options.responseHeader,
    knownMethods: new Set(methods?.length ? methods : STANDARD_METHODS),
    tracerProvider: options.tracerProvider,
    meterProvider: options.meterProvider,
    meter: options.meter,
  });
}

/** Those in code and those of `OTEL_NODE_<KEY>_EXCLUDED_URLS`, else `OTEL_NODE_EXCLUDED_URLS`. */
function excludedUrls(
  { excludeUrls = [], excludeUrlsEnvKey }: { excludeUrls?: (string | RegExp)[]; excludeUrlsEnvKey: string },
  environment: Environment,
): RegExp[] {
  const own = `OTEL_NODE_${excludeUrlsEnvKey}_EXCLUDED_URLS`;
  // One that is set and empty excludes nothing, as in OpenTelemetry for Python, whose variable it is.
  const variable = environment.env[own] === undefined ? 'OTEL_NODE_EXCLUDED_URLS' : own;
  return [
    ...excludeUrls.map((pattern) =>
      // Without `g` and `y`, which would carry a position from one request to the next.
      typeof pattern === 'string'
        ? new RegExp(pattern)
        : new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')),
    ),
    ...(environment.list(variable, urlPattern) ?? []),
  ];
}

const urlPattern: Kind<RegExp> = {
  expected: 'regular expressions',
  type: 'RegExp',
  check: () => undefined,
  parse: (text) => compilePattern(text),
};

/** `true` trusts every proxy, a number that many, a list those addresses and networks (`10.0.0.0/8`). */
function trustedProxies(trustProxy: boolean | number | string[]): TrustProxy | undefined {
  if (trustProxy === false || trustProxy === 0) return undefined;
  if (trustProxy === true) return () => true;
  if (typeof trustProxy === 'number') return (_address, distance) => distance < trustProxy;
  const trusted = new BlockList();
  for (const [index, entry] of trustProxy.entries()) {
    const [address = '', bits] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    try {
      if (isIP(address) === 0) throw new TypeError(address);
      if (bits === undefined) trusted.addAddress(address, family);
      else trusted.addSubnet(address, Number(bits), family);
    } catch {
      const expected = 'an IP address or a network like 10.0.0.0/8';
      throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [
        `http.trustProxy[${index}]`,
        describeValue(entry),
        expected,
      ]);
    }
  }
  return (address) => isIP(address) !== 0 && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
