/**
 * What an endpoint's answer means for the request that it answers.
 *
 * OTLP divides answers into those worth another try and the others, whose data is to be dropped
 * (https://opentelemetry.io/docs/specs/otlp/#failures). The journal can do better with the others: what is
 * refused for its size is sent in parts, what is refused for want of a login or at a wrong address waits for
 * somebody to mend that, and only what the endpoint refuses as data is searched for the span that is to
 * blame.
 *
 * @module
 */
import type { IncomingHttpHeaders } from 'node:http';
import { printable } from '../printable.js';
import { acceptedBy, acceptedByJson, retryDelayOf, statusMessageOf } from './otlp-response.js';
import type { SendResult } from './transport.js';

/**
 * An endpoint that asks for more is asked again all the same: a Collector's own exporters wait no longer
 * either (`max_interval`).
 */
const MAX_RETRY_AFTER_MS = 30_000;
/** Below this no endpoint calls a request too large: a 400 is about what is in it. */
const LARGE_REQUEST_BYTES = 512 * 1024;

/** Of `grpc-status.ts`, for what a proxy answers. */
const HTTP_TEXT = /^Received HTTP status code (\d{3})$/;
/** Of `transport-grpc.ts`, and of servers on grpc-js. */
const SIZE_IN_TEXT = /^Received message larger than max \((\d+) vs/;
/** grpc-go, grpc-js, grpc-java, Envoy and nginx, each in its own words. */
const SIZE_TEXT =
  /larger than (?:the )?(?:max|limit|allowed)|exceeds? (?:the )?(?:max|limit|allowed|size)|too large|too big|\b413\b/i;

/** It was too early, too slow or too much, whatever the request has. */
const HTTP_RETRY: ReadonlySet<number> = new Set([408, 425, 429]);
/** What else is not said of an upstream that is away, or has just died, over a request or not. */
const HTTP_OWN_ERROR: ReadonlySet<number> = new Set([500, 501, 505, 511]);
/** What is answered whatever the request has. Firewalls that look into it answer 403, 406, 418 and others. */
const HTTP_LOGIN: ReadonlySet<number> = new Set([401, 402, 407, 511]);
const HTTP_MISSING: ReadonlySet<number> = new Set([404, 405, 501]);
const HTTP_BAD_DATA: ReadonlySet<number> = new Set([400, 422]);

const OPENING_BRACE = 0x7b;

export interface HttpAnswer {
  status: number;
  statusText: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export function resultOfHttp(answer: HttpAnswer, requestBytes: number): SendResult {
  const { status, headers, body } = answer;
  const text = answerText(answer);
  const reason = `HTTP ${status} ${printable(answer.statusText, 60)}`.trim() + (text === '' ? '' : `: ${text}`);
  if (status >= 200 && status < 300) {
    if (isOtlpAnswer(answer)) return isJson(answer) ? acceptedByJson(body) : acceptedBy(body);
    return { outcome: 'blocked', reason: `it answered ${reason}, which is no OTLP answer` };
  }
  if (status >= 300 && status < 400) {
    const location = headers.location === undefined ? '' : ` to ${printable(withoutSecrets(headers.location), 200)}`;
    return {
      outcome: 'blocked',
      reason: `it redirects${location} (HTTP ${status}), which OTLP requests do not follow`,
    };
  }
  // 502, 503, 504, and what others have made up for the same.
  const isUpstream = status >= 500 && status < 600 && !HTTP_OWN_ERROR.has(status);
  if (isUpstream || HTTP_RETRY.has(status)) {
    const afterMs = retryAfter(headers['retry-after']);
    return { outcome: 'retry', afterMs, reason, doubtful: isUpstream && afterMs === undefined };
  }
  const errorType = String(status);
  if (status === 413) return { outcome: 'too-large', reason, errorType };
  if (HTTP_BAD_DATA.has(status)) {
    const large = requestBytes > LARGE_REQUEST_BYTES || SIZE_TEXT.test(text);
    return large
      ? { outcome: 'too-large', reason, errorType }
      : { outcome: 'bad-data', reason, errorType, certain: true };
  }
  // A server that stumbles over one span says the same as one that is ill.
  if (status === 500) return { outcome: 'bad-data', reason, errorType, certain: false };
  if (HTTP_MISSING.has(status)) return { outcome: 'blocked', reason, missing: true };
  return { outcome: 'blocked', reason, doubtful: !HTTP_LOGIN.has(status) };
}

export interface GrpcAnswer {
  /** Of google.rpc.Code (google/rpc/code.proto), or a number that is none of its. */
  codeName: string;
  details: string;
  /** The request has not left, or nobody has looked into it. */
  isUnsent?: boolean;
  /** `grpc-status-details-bin`. */
  statusDetails?: Uint8Array | undefined;
}

export function resultOfGrpc(answer: GrpcAnswer, requestBytes: number): SendResult {
  const { codeName, details, statusDetails } = answer;
  const status = Number(HTTP_TEXT.exec(details)?.[1] ?? 0);
  if (status > 0) return resultOfProxy(status, `${codeName}: ${details}`);
  // Not of the request, but of the answer, whose first bytes are taken for its length.
  if (Number(SIZE_IN_TEXT.exec(details)?.[1] ?? 0) > 2 * requestBytes + LARGE_REQUEST_BYTES)
    return { outcome: 'blocked', reason: `what it answers is no OTLP (${printable(details)})`, fault: 'no-answer' };
  const reason = `${codeName}: ${printable(details)}`;
  const askedFor = statusDetails && retryDelayOf(statusDetails);
  const afterMs = askedFor === undefined ? undefined : Math.min(askedFor, MAX_RETRY_AFTER_MS);
  const isSize = SIZE_TEXT.test(details);
  const errorType = codeName;
  const doubtful = afterMs === undefined && !answer.isUnsent;
  switch (codeName) {
    case 'CANCELLED':
    case 'DEADLINE_EXCEEDED':
    case 'ABORTED':
    case 'OUT_OF_RANGE':
    case 'DATA_LOSS':
      return { outcome: 'retry', afterMs, reason, doubtful };
    case 'UNAVAILABLE':
      return { outcome: 'retry', afterMs, reason, fault: 'no-answer', doubtful };
    case 'RESOURCE_EXHAUSTED':
      if (isSize) return { outcome: 'too-large', reason, errorType };
      return afterMs === undefined ? { outcome: 'blocked', reason } : { outcome: 'retry', afterMs, reason };
    case 'INVALID_ARGUMENT':
      return isSize
        ? { outcome: 'too-large', reason, errorType }
        : { outcome: 'bad-data', reason, errorType, certain: true };
    case 'PERMISSION_DENIED':
      // What Envoy makes of a firewall's 403.
      return { outcome: 'blocked', reason, fault: 'no-answer', doubtful };
    case 'UNAUTHENTICATED':
    case 'NOT_FOUND':
      return { outcome: 'blocked', reason, fault: 'no-answer' };
    case 'UNIMPLEMENTED':
      return { outcome: 'blocked', reason, fault: 'no-answer', missing: true };
    default:
      if (isSize) return { outcome: 'too-large', reason, errorType };
      return { outcome: 'bad-data', reason, errorType, certain: false };
  }
}

/** What stands before a gRPC server has answered in its place. */
function resultOfProxy(status: number, reason: string): SendResult {
  const result = resultOfHttp({ status, statusText: '', headers: {}, body: Buffer.alloc(0) }, 0);
  if (result.outcome === 'retry' || result.outcome === 'blocked') return { ...result, reason, fault: 'no-answer' };
  // It has no look at the data.
  if (result.outcome === 'accepted' || (result.outcome === 'bad-data' && result.certain))
    return { outcome: 'blocked', reason, fault: 'no-answer', doubtful: true };
  return { ...result, reason };
}

/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), in milliseconds. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  // A date begins with its day.
  const date = /^[a-z]/i.test(value) ? new Date(value).getTime() - Date.now() : Number.NaN;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : date;
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined;
}

/** Without user, password and query, which may be a login's. */
function withoutSecrets(location: string): string {
  return location.replace(/[?#].*$/s, '').replace(/^(\w+:)?\/\/[^/]*@/, '$1//');
}

/** Go's servers call JSON `text/plain` when nobody has said what it is. */
const isJson = ({ headers, body }: HttpAnswer) =>
  /^application\/json\b/i.test(headers['content-type'] ?? '') || body[0] === OPENING_BRACE;

/** What others call `application/x-protobuf`, which the specification wants. */
const OTLP_TYPE = /^application\/(?:(?:x-|vnd\.google\.|x-google-)?protobuf|json|octet-stream)\b/i;

/**
 * What is taken for an acceptance besides OTLP's types: no body, JSON that says nothing or a partial success,
 * and a word or two, which some vendors answer with. A page is none, nor is what a server says that answers
 * 200 to everything, nor an error that comes with 200.
 */
function isOtlpAnswer(answer: HttpAnswer): boolean {
  const { status, headers, body } = answer;
  const contentType = headers['content-type'];
  if (body.length === 0) return true;
  if (isJson(answer) && isErrorInJson(body)) return false;
  // Pages of others are answered with 200.
  if (status !== 200 && !isPage(contentType, body.toString('latin1', 0, 64))) return true;
  if (contentType !== undefined && OTLP_TYPE.test(contentType)) return true;
  const text = body.subarray(0, 64).toString('latin1');
  return /^\s*\{\s*"partial_?success"/i.test(text) || (ACCEPTING_WORD.test(text) && body.length < 64);
}

const ACCEPTING_WORD = /^\s*(ok|success|accepted|\{\s*\})[.!]?\s*$/i;

/** `{"error":"no such token"}`, as gateways say that have no status of their own. */
function isErrorInJson(body: Buffer): boolean {
  try {
    const { error, errors } = JSON.parse(body.toString()) ?? {};
    return Boolean(error) || (Array.isArray(errors) ? errors.length > 0 : Boolean(errors));
  } catch {
    return false;
  }
}

const isPage = (type = '', text: string) => /html/i.test(type) || /^\s*<(?:!doctype|html)/i.test(text);

/** An endpoint's own words: the message of a google.rpc.Status, or the text of the body, without its tags. */
function answerText({ headers, body }: HttpAnswer): string {
  const type = headers['content-type'] ?? '';
  if (/^application\/x-protobuf\b/i.test(type)) return printable(statusMessageOf(body));
  const text = body.subarray(0, 4096).toString('utf8');
  if (/^application\/json\b/i.test(type)) {
    try {
      const { message } = JSON.parse(text);
      if (typeof message === 'string') return printable(message);
    } catch {
      // As it is, then.
    }
  }
  if (!isPage(type, text)) return printable(text);
  const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1] ?? '';
  return printable(`a web page${title.trim() === '' ? '' : ` "${title.trim()}"`}`);
}
