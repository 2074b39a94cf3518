import { apiCopies } from '../instrumentation/api-copies.js';
import { logsState } from '../logs/logs-state.js';

/** `ProxyLoggerProvider` of `@opentelemetry/api` 1.10, which has the logs API within it. */
interface Proxy {
  _setDelegate?(provider: object): void;
}

/**
 * Loggers that the API has given before a provider is registered, as to instrumentations when they are made,
 * hand on to what their copy of the API is told itself: they do not look at what is registered for all.
 */
export function serveEarlyLoggers(): void {
  if (logsState.standIn === undefined) return;
  for (const { api } of apiCopies(true)) {
    const { logs } = api as { logs?: { getLoggerProvider(): Proxy } };
    logs?.getLoggerProvider()._setDelegate?.(logsState.standIn);
  }
}
