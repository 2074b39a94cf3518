import type { Failure } from './answer.js';
import type { Signal } from './decode.js';

/** An export request as it came off the wire, decompressed. */
export interface WireRequest {
  signal: Signal;
  protocol: 'grpc' | 'http';
  headers: Record<string, string>;
  body: Uint8Array;
}

/** What to answer: the encoded response message, or an error. */
export type Outcome = { response: Uint8Array } | { failure: Failure };

/** Resolves with what to answer; a promise that never settles is a request that is never answered. */
export type ReceiveRequest = (request: WireRequest) => Promise<Outcome>;

/** One listening socket; `close` drops its connections. */
export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}
