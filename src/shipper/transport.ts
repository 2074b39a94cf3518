/**
 * Where the shipper sends to: one encoded ExportTraceServiceRequest at a time, and what became of it.
 *
 * @module
 */
import type { ResolvedExport } from '../config/resolved.js';

export type SendResult =
  /** The endpoint has it, but for `rejected` spans that it will never take (OTLP's partial success). */
  | { outcome: 'accepted'; rejected: number; message: string }
  /** Worth another try; `afterMs` is what the endpoint asked for. */
  | { outcome: 'retry'; afterMs: number | undefined; reason: string }
  /** The endpoint will never take it. */
  | { outcome: 'refused'; reason: string };

export interface Transport {
  /** The bytes may be reused once the promise has settled. Never rejects. */
  send(request: Uint8Array): Promise<SendResult>;
  close(): void;
}

export const ACCEPTED: SendResult = Object.freeze({ outcome: 'accepted', rejected: 0, message: '' });

/** What is sent with is loaded here, and not before. */
export async function createTransport(target: ResolvedExport): Promise<Transport> {
  switch (target.to) {
    case 'none':
      return { send: async () => ACCEPTED, close() {} };
    case 'console':
      return (await import('./transport-console.js')).consoleTransport();
    case 'otlp-http':
      return (await import('./transport-http.js')).createHttpTransport(target);
    case 'otlp-grpc':
    case 'viewer':
      return (await import('./transport-grpc.js')).createGrpcTransport(target);
  }
}
