/**
 * The status of a gRPC call, by what came of its HTTP/2 stream
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
 *
 * @module
 */
import { constants, type IncomingHttpHeaders } from 'node:http2';
import type { GrpcAnswer } from './answer.js';

/** By their numbers (google/rpc/code.proto). */
const CODES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

export type GrpcCode = (typeof CODES)[number];

const HTTP_CODES: Readonly<Record<number, GrpcCode>> = {
  400: 'INTERNAL',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'UNIMPLEMENTED',
  429: 'UNAVAILABLE',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
};

const RESETS: Readonly<Record<number, [GrpcCode, string]>> = {
  [constants.NGHTTP2_REFUSED_STREAM]: ['UNAVAILABLE', 'the stream was refused'],
  [constants.NGHTTP2_CANCEL]: ['CANCELLED', 'the stream was cancelled'],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: ['RESOURCE_EXHAUSTED', 'it wants fewer requests, or smaller headers'],
  [constants.NGHTTP2_INADEQUATE_SECURITY]: ['PERMISSION_DENIED', 'it finds the encryption too weak'],
};

/** What nobody has answered. */
export const statusOf = (codeName: GrpcCode, details: string): GrpcAnswer => ({ codeName, details });

/** Of trailers, or of headers that nothing follows. */
export function statusOfTrailers(trailers: IncomingHttpHeaders, httpStatus: number): GrpcAnswer {
  const said = trailers['grpc-status'];
  if (said === undefined) return statusOfHttp(httpStatus);
  const code = Number(said);
  const statusDetails = trailers['grpc-status-details-bin'];
  return {
    // Some server's own invention: as it says it.
    codeName: CODES[code] ?? (Number.isInteger(code) ? String(code) : 'UNKNOWN'),
    details: decoded(String(trailers['grpc-message'] ?? '')),
    statusDetails: statusDetails === undefined ? undefined : Buffer.from(String(statusDetails), 'base64'),
  };
}

/** What speaks HTTP and not gRPC. */
export const statusOfHttp = (httpStatus: number): GrpcAnswer =>
  statusOf(HTTP_CODES[httpStatus] ?? 'UNKNOWN', `Received HTTP status code ${httpStatus}`);

/** The stream has ended with this HTTP/2 error code, and without a status. */
export function statusOfReset(rstCode: number): GrpcAnswer {
  const [codeName, details] = RESETS[rstCode] ?? ['INTERNAL', `the stream ended with HTTP/2 error ${rstCode}`];
  return statusOf(codeName, details);
}

/** `grpc-message` is percent-encoded, by most. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
