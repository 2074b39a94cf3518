import { decode } from '../wire/decode.js';
import { LogsRequest, TracesRequest } from '../wire/otlp.js';
import type { OtlpLogRecord, OtlpResource, OtlpScope, OtlpSpan } from '../wire/otlp-json.js';
import { ACCEPTED, type SendResult, type Signal, type Transport } from './transport.js';

/** What a line holds, in OTLP/JSON. */
export interface PrintedSpan {
  resource: OtlpResource;
  scope: OtlpScope;
  span: OtlpSpan;
}

/** Likewise of a log record. */
export interface PrintedLogRecord {
  resource: OtlpResource;
  scope: OtlpScope;
  logRecord: OtlpLogRecord;
}

/**
 * A span or log record per line of standard output, as JSON: for looking and for `jq`, as
 * `forktrace inspect --json` prints them.
 */
export function consoleTransport(signal: Signal = 'traces', out: NodeJS.WritableStream = process.stdout): Transport {
  const lines = signal === 'logs' ? logLines : spanLines;
  // Whoever read it is gone: the callback of the write says so, too.
  const ignore = () => {};
  out.on('error', ignore);
  return {
    send: (request) =>
      new Promise<SendResult>((resolve, reject) => {
        out.write(lines(request), (error) => (error ? reject(error) : resolve(ACCEPTED)));
      }).catch(
        (error: Error): SendResult => ({
          outcome: 'refused',
          reason: `the console: ${error.message}`,
          errorType: '_OTHER',
        }),
      ),
    close: () => void out.removeListener('error', ignore),
  };
}

function spanLines(request: Uint8Array): string {
  const { resourceSpans = [] } = decode(request, TracesRequest);
  let text = '';
  for (const { resource = {}, scopeSpans = [] } of resourceSpans) {
    for (const { scope = {}, spans = [] } of scopeSpans) {
      for (const span of spans) text += `${JSON.stringify({ resource, scope, span } satisfies PrintedSpan)}\n`;
    }
  }
  return text;
}

function logLines(request: Uint8Array): string {
  const { resourceLogs = [] } = decode(request, LogsRequest);
  let text = '';
  for (const { resource = {}, scopeLogs = [] } of resourceLogs) {
    for (const { scope = {}, logRecords = [] } of scopeLogs) {
      for (const logRecord of logRecords)
        text += `${JSON.stringify({ resource, scope, logRecord } satisfies PrintedLogRecord)}\n`;
    }
  }
  return text;
}
