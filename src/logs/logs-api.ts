/**
 * Registers with the logs API through its own registry in `globalThis`. An app has `@opentelemetry/api-logs`,
 * the logs API inside `@opentelemetry/api` 1.10, both or none, in any number of copies; forktrace depends on
 * none of them.
 *
 * Instrumentations ask for their loggers when they are made, before there is a journal. A stand-in gives them
 * loggers that look up the provider when they log.
 *
 * @module
 */
import type { EmittedRecord, JournalLogger } from './logger-provider.js';
import { currentLogWriter, logsState } from './logs-state.js';

/**
 * `GLOBAL_LOGS_API_KEY` of `@opentelemetry/api-logs`. The entry is a function that takes the compatibility
 * version.
 */
const LOGS_API = Symbol.for('io.opentelemetry.js.api.logs');
const LOGS_API_VERSION = 1;
/**
 * `GLOBAL_OPENTELEMETRY_API_KEY` of `@opentelemetry/api`: an object with the version that registered first,
 * and an entry for each API.
 */
const API = Symbol.for('opentelemetry.js.api.1');

type Logger = Pick<JournalLogger, 'emit' | 'enabled'>;
interface LoggerProvider {
  getLogger(name: string, version?: string, options?: { schemaUrl?: string }): Logger;
  forceFlush?(options?: { timeoutMillis?: number }): Promise<boolean>;
}

const NOTHING: Logger = { emit() {}, enabled: () => false };
const NOOP_PROVIDER: LoggerProvider = { getLogger: () => NOTHING };

const registry = globalThis as { [LOGS_API]?: (version: number) => LoggerProvider; [API]?: { logs?: LoggerProvider } };

/**
 * Registers a provider whose loggers write as soon as logs have been started.
 *
 * @param start called with the first log record; starts tracing, and logs with it
 */
export function standInForLogs(start?: () => void): void {
  if (logsState.standIn !== undefined || registry[LOGS_API] !== undefined) return;
  const standIn: LoggerProvider = {
    getLogger: (...scope) => new AwaitingLogger(scope),
    // Before there is a provider, nothing has been logged.
    forceFlush: async (options) => logsState.provider?.forceFlush(options) ?? true,
  };
  logsState.standIn = standIn;
  logsState.start = start;
  registry[LOGS_API] = (version) => (version === LOGS_API_VERSION ? standIn : NOOP_PROVIDER);
}

/**
 * Lets records through the stand-in.
 *
 * @returns a function that undoes it; undefined when another SDK is registered, which stays
 */
export function registerLoggerProvider(provider: LoggerProvider & typeof logsState.provider): (() => void) | undefined {
  standInForLogs();
  if (registry[LOGS_API]?.(LOGS_API_VERSION) !== logsState.standIn) return undefined;
  logsState.start = undefined;
  logsState.provider = provider;
  // Made with the version of the API that registered first: the tracer provider, just before.
  const api = registry[API];
  if (api && api.logs === undefined) api.logs = provider;
  return () => {
    logsState.provider = undefined;
    if (api?.logs === provider) delete api.logs;
  };
}

class AwaitingLogger implements Logger {
  readonly #scope: Parameters<LoggerProvider['getLogger']>;
  #logger: Logger | undefined;
  #provider: unknown;

  constructor(scope: Parameters<LoggerProvider['getLogger']>) {
    this.#scope = scope;
  }

  emit(record: EmittedRecord): void {
    this.#found().emit(record);
  }

  enabled(options?: { severityNumber?: number }): boolean {
    return this.#found().enabled(options);
  }

  #found(): Logger {
    currentLogWriter();
    const { provider } = logsState;
    if (provider !== this.#provider || this.#logger === undefined) {
      this.#provider = provider;
      this.#logger = provider?.getLogger(...this.#scope) ?? NOTHING;
    }
    return this.#logger;
  }
}
