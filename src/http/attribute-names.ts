/**
 * Names of the semantic conventions. The compiler checks each against the package, which is not loaded at run
 * time: the coordinator imports `traceServer` too.
 *
 * @module
 */
export { ERROR_TYPE as ATTR_ERROR_TYPE } from '../wire/conventions.js';

import type * as semconv from '@opentelemetry/semantic-conventions';
import type * as incubating from '@opentelemetry/semantic-conventions/incubating';

export const ATTR_CLIENT_ADDRESS: typeof semconv.ATTR_CLIENT_ADDRESS = 'client.address';
export const ATTR_HTTP_REQUEST_METHOD: typeof semconv.ATTR_HTTP_REQUEST_METHOD = 'http.request.method';
export const ATTR_HTTP_REQUEST_METHOD_ORIGINAL: typeof semconv.ATTR_HTTP_REQUEST_METHOD_ORIGINAL =
  'http.request.method_original';
export const ATTR_HTTP_RESPONSE_STATUS_CODE: typeof semconv.ATTR_HTTP_RESPONSE_STATUS_CODE =
  'http.response.status_code';
export const ATTR_HTTP_ROUTE: typeof semconv.ATTR_HTTP_ROUTE = 'http.route';
export const ATTR_NETWORK_PEER_ADDRESS: typeof semconv.ATTR_NETWORK_PEER_ADDRESS = 'network.peer.address';
export const ATTR_NETWORK_PEER_PORT: typeof semconv.ATTR_NETWORK_PEER_PORT = 'network.peer.port';
export const ATTR_NETWORK_PROTOCOL_VERSION: typeof semconv.ATTR_NETWORK_PROTOCOL_VERSION = 'network.protocol.version';
export const ATTR_SERVER_ADDRESS: typeof semconv.ATTR_SERVER_ADDRESS = 'server.address';
export const ATTR_SERVER_PORT: typeof semconv.ATTR_SERVER_PORT = 'server.port';
export const ATTR_URL_PATH: typeof semconv.ATTR_URL_PATH = 'url.path';
export const ATTR_URL_QUERY: typeof semconv.ATTR_URL_QUERY = 'url.query';
export const ATTR_URL_SCHEME: typeof semconv.ATTR_URL_SCHEME = 'url.scheme';
export const ATTR_USER_AGENT_SYNTHETIC_TYPE: typeof incubating.ATTR_USER_AGENT_SYNTHETIC_TYPE =
  'user_agent.synthetic.type';
export const METRIC_HTTP_SERVER_REQUEST_DURATION: typeof semconv.METRIC_HTTP_SERVER_REQUEST_DURATION =
  'http.server.request.duration';
export const METRIC_HTTP_SERVER_ACTIVE_REQUESTS: typeof incubating.METRIC_HTTP_SERVER_ACTIVE_REQUESTS =
  'http.server.active_requests';
export const METRIC_HTTP_SERVER_REQUEST_BODY_SIZE: typeof incubating.METRIC_HTTP_SERVER_REQUEST_BODY_SIZE =
  'http.server.request.body.size';
export const METRIC_HTTP_SERVER_RESPONSE_BODY_SIZE: typeof incubating.METRIC_HTTP_SERVER_RESPONSE_BODY_SIZE =
  'http.server.response.body.size';
export const ATTR_USER_AGENT_ORIGINAL: typeof semconv.ATTR_USER_AGENT_ORIGINAL = 'user_agent.original';
