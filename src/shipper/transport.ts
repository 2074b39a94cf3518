/**
 * Where the shipper sends to: one encoded OTLP request at a time, and what became of it.
 *
 * @module
 */
import type { ResolvedExport } from '../config/resolved.js';

/** Of OTLP's signals, the ones that journals hold. */
export type Signal = 'traces' | 'logs';

/** `errorType`: what metrics call the refusal, as `error.type` wants it: a status code or its name. */
export type SendResult =
  /** The endpoint has it, but for `rejected` items that it will never take (OTLP's partial success). */
  | { outcome: 'accepted'; rejected: number; message: string }
  /** Worth another try soon; `afterMs` is what the endpoint asked for. */
  | {
      outcome: 'retry';
      afterMs?: number | undefined;
      reason: string;
      fault?: ConnectionFault;
      /** It has the request, or part of it: something in that may be what it fails over. */
      doubtful?: boolean;
    }
  /** Nothing gets through until somebody mends the login, the address or a quota: worth another try later. */
  | {
      outcome: 'blocked';
      reason: string;
      fault?: ConnectionFault;
      /** The other side speaks, and has nothing at this address: gRPC's UNIMPLEMENTED, HTTP's 404. */
      missing?: boolean;
      /** It may be something in the request that it says this to, as a firewall does that looks into it. */
      doubtful?: boolean;
    }
  /** More bytes than the endpoint takes at once. */
  | { outcome: 'too-large'; reason: string; errorType: string }
  /** Nobody will ever take it. */
  | { outcome: 'refused'; reason: string; errorType: string }
  /**
   * Something in it is not what the endpoint takes. Where that is not `certain`, it may be the endpoint's own
   * trouble.
   */
  | { outcome: 'bad-data'; reason: string; errorType: string; certain: boolean };

/** What failed below OTLP, where the answer itself does not tell what the other side speaks. */
export type ConnectionFault =
  /** No connection, or one that spoke something else. */
  | 'no-answer'
  /** The connection was there, and was cut while the request was written. */
  | 'cut';

export interface Transport {
  /** The bytes may be reused once the promise has settled. Never rejects. */
  send(request: Uint8Array): Promise<SendResult>;
  close(): void;
}

export const ACCEPTED: SendResult = Object.freeze({ outcome: 'accepted', rejected: 0, message: '' });

/** What is sent with is loaded here, and not before. */
export async function createTransport(target: ResolvedExport, signal: Signal = 'traces'): Promise<Transport> {
  if (target.print) {
    const { printingTransport } = await import('./transport-printing.js');
    const { consoleTransport } = await import('./transport-console.js');
    return printingTransport(await createTransport({ ...target, print: false }, signal), consoleTransport(signal));
  }
  if (target.otherwise) {
    const { eitherTransport } = await import('./transport-either.js');
    return eitherTransport(target, (told) => createTransport(told, signal));
  }
  switch (target.to) {
    case 'none':
      return { send: async () => ACCEPTED, close() {} };
    case 'console':
      return (await import('./transport-console.js')).consoleTransport(signal);
    case 'otlp-http':
      return (await import('./transport-http.js')).createHttpTransport(target, signal);
    case 'otlp-grpc':
    case 'viewer':
      return (await import('./transport-grpc.js')).createGrpcTransport(target, signal);
  }
}
