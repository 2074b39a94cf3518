/**
 * How spans, metrics and log records are sent, wherever they go: headers, compression, timeout and TLS.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { describeValue, ForktraceError } from '../errors.js';
import type { Environment } from './environment.js';
import { type HeadersFunction, headerFault, parseHeaders } from './headers.js';
import { timerMs } from './kinds.js';
import { type ExportValues, isInsecure, type Origin, type OtlpVariables, refuseValue } from './otlp-variables.js';
import type { ResolvedExport } from './resolved.js';

const DEFAULT_TIMEOUT_MS = 10_000;

/** What is said the same way for every OTLP destination: headers, compression, timeout and TLS. */
export function delivery(variables: OtlpVariables, values: ExportValues) {
  const { environment } = variables;
  const { headers, compression, timeoutMs, tls } = values.export;
  const [ownHeaders, generalHeaders] = variables.names('HEADERS');
  // All are read, so that a wrong variable is said even where an option wins.
  const read = { compression: variables.read('COMPRESSION'), timeoutMs: variables.read('TIMEOUT') };
  const pem = (option: 'ca' | 'cert' | 'key', suffix: 'CERTIFICATE' | 'CLIENT_CERTIFICATE' | 'CLIENT_KEY') => {
    const value = tls[option];
    if (value !== undefined) return readPem({ option: `export.tls.${option}` }, value, environment);
    const name = variables.names(suffix).find((each) => environment.isSet(each));
    return name && readPem({ variable: name }, environment.text(name)!, environment);
  };
  const fixed = { ...headersOf(generalHeaders, environment), ...headersOf(ownHeaders, environment) };
  const file = (option: 'ca' | 'cert' | 'key', suffix: 'CERTIFICATE' | 'CLIENT_CERTIFICATE' | 'CLIENT_KEY') => {
    const name = variables.names(suffix).find((each) => environment.isSet(each));
    const value = tls[option] ?? (name && environment.text(name));
    return value === undefined || value.includes('-----BEGIN ') ? undefined : resolvePath(value);
  };
  return {
    ...resolveHeaders(fixed, headers),
    compression: compression ?? read.compression ?? 'none',
    timeoutMs: timerMs(timeoutMs ?? read.timeoutMs ?? DEFAULT_TIMEOUT_MS),
    tls: Object.freeze({
      ca: pem('ca', 'CERTIFICATE'),
      cert: pem('cert', 'CLIENT_CERTIFICATE'),
      key: pem('key', 'CLIENT_KEY'),
      insecure: isInsecure(variables, values),
    }),
    tlsFiles: Object.freeze({
      ca: file('ca', 'CERTIFICATE'),
      cert: file('cert', 'CLIENT_CERTIFICATE'),
      key: file('key', 'CLIENT_KEY'),
    }),
    maxRequestBytes: values.export.maxRequestBytes,
    ...(values.export.gatherMs !== undefined && { gatherMs: values.export.gatherMs }),
  } as const;
}

/**
 * Those that do not change, beside those of a file or a function: what these say now, and where to ask again.
 */
function resolveHeaders(
  fixed: Record<string, string>,
  configured: Record<string, string> | string | HeadersFunction | undefined,
): Pick<ResolvedExport, 'headers' | 'headersFrom'> {
  if (typeof configured === 'object' || configured === undefined) {
    return { headers: Object.freeze({ ...fixed, ...configured }) };
  }
  if (typeof configured === 'string') {
    const file = resolvePath(configured);
    return { headers: Object.freeze({ ...fixed, ...headersOfFile(file) }), headersFrom: { fixed, file } };
  }
  // One that is asynchronous is heard later: a start waits for nothing.
  return { headers: Object.freeze(fixed), headersFrom: { fixed, call: configured } };
}

function headersOfFile(file: string): Record<string, string> {
  try {
    return parseHeaders(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const found = `the file ${describeValue(file)} (${code ?? message})`;
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [
      'export.headers',
      found,
      'a file of headers that can be read',
    ]);
  }
}

/** Those that can be sent; the others are said by name, for a value may be a secret. */
function headersOf(variable: string, environment: Environment): Record<string, string> {
  const sendable: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment.pairs(variable) ?? {})) {
    const expected = headerFault(name, value);
    if (expected === undefined) sendable[name] = value;
    else environment.unusable(variable, `a header ${describeValue(name)} that cannot be sent`, expected);
  }
  return sendable;
}

function readPem(origin: Origin, value: string, environment: Environment): string | undefined {
  if (value.includes('-----BEGIN ')) return value;
  const path = describeValue(value);
  let contents: string;
  try {
    contents = readFileSync(value, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refuseValue(origin, `${path} (${code})`, 'a PEM file that can be read', environment);
  }
  if (contents.includes('-----BEGIN ')) return contents;
  return refuseValue(origin, `${path}, which is no PEM file`, 'a PEM file', environment);
}
