import type { Server } from 'node:http';
import type { HttpTracingConfig } from './types.js';

/** A SERVER span for each request of `server`. */
export function traceServer(_server: Server, _options: HttpTracingConfig = {}): void {}
