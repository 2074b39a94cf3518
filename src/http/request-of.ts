import type { ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { http1RequestOf } from './http1-request.js';
import { http2RequestOf } from './http2-request.js';
import type { ServerRequest } from './server-request.js';

/** The open request that a response answers, whatever context the caller runs in. */
export function requestOf(response: object): ServerRequest | undefined {
  const { stream } = response as { stream?: ServerHttp2Stream };
  return stream === undefined ? http1RequestOf(response as ServerResponse) : http2RequestOf(stream);
}
