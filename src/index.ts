/**
 * forktrace: tracing for Node.js processes that fork.
 *
 * @module
 */
export type * from './config/types.js';
export { type ErrorCode, ForktraceError } from './errors.js';
export type { HttpRequest, HttpResponse, HttpTracingConfig } from './http/types.js';
