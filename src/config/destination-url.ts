/**
 * The URL of an OTLP destination, from an option, a variable, or the specification's default.
 *
 * @module
 */
import { describeValue } from '../errors.js';
import type { Environment } from './environment.js';
import { isSocketUrl } from './kinds.js';
import { type ExportValues, isInsecure, type Origin, type OtlpVariables, refuseValue } from './otlp-variables.js';
import type { ExportDestination } from './types.js';

const DEFAULT_URLS = { 'otlp-grpc': 'http://localhost:4317', 'otlp-http': 'http://localhost:4318' } as const;

/** @returns undefined where nothing is sent to a URL */
export function resolveUrl(
  to: ExportDestination,
  variables: OtlpVariables,
  values: ExportValues,
  { option, url: configured }: { option: string; url: string | undefined },
): string | undefined {
  const { environment, signal } = variables;
  // Set by the coordinator, once the viewer has found its port.
  if (to === 'viewer') return environment.text('FORKTRACE_VIEWER_URL');
  if (to !== 'otlp-grpc' && to !== 'otlp-http') return undefined;
  const path = `v1/${signal.toLowerCase()}`;
  const insecure = isInsecure(variables, values);
  const read = (origin: Origin, text: string) =>
    to === 'otlp-grpc' ? grpcUrl(origin, text, insecure, environment) : httpUrl(origin, text, environment);

  if (configured !== undefined) {
    const url = read({ option }, configured);
    return to === 'otlp-http' && url && !isSocketUrl(url) && new URL(url).pathname === '/'
      ? appendPath(url, path)
      : url;
  }
  // The variable of one signal is the whole URL; the path is appended to the general one only.
  const [perSignal, general] = variables.names('ENDPOINT');
  const own = environment.text(perSignal);
  const url = own === undefined ? undefined : read({ variable: perSignal }, own);
  if (url !== undefined) return url;
  const shared = environment.text(general);
  const base = (shared === undefined ? undefined : read({ variable: general }, shared)) ?? DEFAULT_URLS[to];
  return to === 'otlp-http' && !isSocketUrl(base) ? appendPath(base, path) : base;
}

function appendPath(base: string, path: string): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
  return url.href;
}

function httpUrl(origin: Origin, text: string, environment: Environment): string | undefined {
  if (isSocketUrl(text)) return text;
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return new URL(text).href;
  return refuseValue(
    origin,
    withoutPassword(text),
    'a URL that begins with http:// or https://, or unix:///path',
    environment,
  );
}

/** `host:port` without a scheme is allowed, and secure unless it is said not to be. */
function grpcUrl(origin: Origin, text: string, insecure: boolean, environment: Environment): string | undefined {
  if (isSocketUrl(text)) return text;
  const full = text.includes('://') ? text : `${insecure ? 'http' : 'https'}://${text}`;
  const url = /^https?:\/\//i.test(full) && URL.canParse(full) ? new URL(full) : undefined;
  if (url?.pathname === '/' && url.search === '') return `${url.protocol}//${url.host}`;
  return refuseValue(
    origin,
    withoutPassword(text),
    'a URL http(s)://host:port without a path, for OTLP over gRPC',
    environment,
  );
}

/** A URL for a message. */
const withoutPassword = (text: string) => describeValue(text.replace(/\/\/[^/@]*@/, '//…@'));
