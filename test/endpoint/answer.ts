/**
 * How the endpoint answers a request, and what that is in gRPC and in HTTP.
 *
 * @module
 */
import { status } from '@grpc/grpc-js';

export type Answer =
  /** Keeps what it gets. */
  | { answer: 'ok' }
  /** Keeps what it gets, and says so late. */
  | { answer: 'slow'; delayMs: number }
  /** Never answers; the request is dropped when the endpoint stops. */
  | { answer: 'hang' }
  /** gRPC UNAVAILABLE, HTTP 503. `retryAfterMs`: RetryInfo, or `Retry-After` in whole seconds. */
  | { answer: 'unavailable'; retryAfterMs?: number }
  /** gRPC RESOURCE_EXHAUSTED, HTTP 429. Without RetryInfo a gRPC client must not retry it. */
  | { answer: 'resource-exhausted'; retryAfterMs?: number }
  /** gRPC INVALID_ARGUMENT, HTTP 400: not to be retried. */
  | { answer: 'invalid-argument' }
  /** INVALID_ARGUMENT and 400, or `with`, where a span has such a name; keeps the others' requests. */
  | { answer: 'refuse-spans'; named: RegExp; with?: Answer }
  /** Any other pair of codes. */
  | { answer: 'fail'; grpc: status; http: number; retryAfterMs?: number; message?: string }
  /** HTTP 200 with a page, as a proxy or a login has it; gRPC UNIMPLEMENTED. */
  | { answer: 'web-page' }
  /** An HTTP answer that never ends, a byte at a time; over gRPC none at all. */
  | { answer: 'trickle' }
  /** Success, but the last `rejected` spans or points of the request are not kept. */
  | { answer: 'partial-success'; rejected: number; message?: string };

export interface Failure {
  grpc: status;
  http: number;
  message: string;
  retryAfterMs: number | undefined;
  /** Of an HTTP answer, where that is not empty. */
  body?: 'page' | 'trickle';
}

/** The error codes of an answer, or undefined when it is a success. */
export function failureOf(answer: Answer): Failure | undefined {
  const failure = (grpc: status, http: number, retryAfterMs?: number) => ({
    grpc,
    http,
    message: `told to answer ${answer.answer}`,
    retryAfterMs,
  });
  switch (answer.answer) {
    case 'unavailable':
      return failure(status.UNAVAILABLE, 503, answer.retryAfterMs);
    case 'resource-exhausted':
      return failure(status.RESOURCE_EXHAUSTED, 429, answer.retryAfterMs);
    case 'invalid-argument':
      return failure(status.INVALID_ARGUMENT, 400);
    case 'web-page':
      return { ...failure(status.UNIMPLEMENTED, 200), body: 'page' };
    case 'trickle':
      return { ...failure(status.UNAVAILABLE, 200), body: 'trickle' };
    case 'fail':
      return {
        ...failure(answer.grpc, answer.http, answer.retryAfterMs),
        ...(answer.message !== undefined && { message: answer.message }),
      };
    default:
      return undefined;
  }
}
