/**
 * Registration with the logs API, by its own registry in `globalThis`: an app has `@opentelemetry/api-logs`,
 * the logs API inside `@opentelemetry/api` 1.10, both or none, in any number of copies, and we depend on none
 * of them.
 *
 * Instrumentations ask for their loggers when they are made, before there is a journal: a stand-in gives them
 * loggers that find the provider when they log.
 *
 * @module
 */
import type { EmittedRecord, JournalLogger } from './logger-provider.js';
import { currentLogWriter, logsState } from './logs-state.js';

/**
 * `GLOBAL_LOGS_API_KEY` of `@opentelemetry/api-logs`, whose entry is a function of the compatibility version.
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
 * Registers a provider whose loggers write once logs have started.
 *
 * @param start called with the first log record: starts tracing, and logs with it
 */
export function standInForLogs(start?: () => void): void {
  if (logsState.standIn !== undefined || registry[LOGS_API] !== undefined) return;
  const standIn: LoggerProvider = {
    getLogger: (...scope) => new AwaitingLogger(scope),
    // Nothing has been logged before there is a provider.
    forceFlush: async (options) => logsState.provider?.forceFlush(options) ?? true,
  };
  logsState.standIn = standIn;
  logsState.start = start;
  registry[LOGS_API] = (version) => (version === LOGS_API_VERSION ? standIn : NOOP_PROVIDER);
}

/**
 * Opens the way through the stand-in. @returns takes it back; undefined: another SDK is registered, and stays
 */
export function registerLoggerProvider(provider: LoggerProvider & typeof logsState.provider): (() => void) | undefined {
  standInForLogs();
  if (registry[LOGS_API]?.(LOGS_API_VERSION) !== logsState.standIn) return undefined;
  logsState.start = undefined;
  logsState.provider = provider;
  // Made with the first API that was registered: the tracer provider, just before.
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
