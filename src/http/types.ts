import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** A request, as an HTTP/1 or HTTP/2 server gets it. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
/** The response to a request, of an HTTP/1 or HTTP/2 server. */
export type HttpResponse = ServerResponse | Http2ServerResponse;
