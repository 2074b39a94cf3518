import { decode } from '../wire/decode.js';
import { TracesRequest } from '../wire/otlp.js';
import type { OtlpResource, OtlpScope, OtlpSpan } from '../wire/otlp-json.js';
import { ACCEPTED, type SendResult, type Transport } from './transport.js';

/** What a line holds, in OTLP/JSON. */
export interface PrintedSpan {
  resource: OtlpResource;
  scope: OtlpScope;
  span: OtlpSpan;
}

/** A span per line of standard output, as JSON: for looking and for `jq`, as `forktrace inspect --json` prints them. */
export function consoleTransport(out: NodeJS.WritableStream = process.stdout): Transport {
  // Whoever read it is gone: the callback of the write says so, too.
  const ignore = () => {};
  out.on('error', ignore);
  return {
    send: (request) =>
      new Promise<SendResult>((resolve, reject) => {
        out.write(lines(request), (error) => (error ? reject(error) : resolve(ACCEPTED)));
      }).catch((error: Error): SendResult => ({ outcome: 'refused', reason: `the console: ${error.message}` })),
    close: () => void out.removeListener('error', ignore),
  };
}

function lines(request: Uint8Array): string {
  const { resourceSpans = [] } = decode(
    Buffer.from(request.buffer, request.byteOffset, request.byteLength),
    TracesRequest,
  );
  let text = '';
  for (const { resource = {}, scopeSpans = [] } of resourceSpans) {
    for (const { scope = {}, spans = [] } of scopeSpans) {
      for (const span of spans) text += `${JSON.stringify({ resource, scope, span } satisfies PrintedSpan)}\n`;
    }
  }
  return text;
}
