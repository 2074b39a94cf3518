import { ProxyTracerProvider, type TracerProvider } from '@opentelemetry/api';
import { apiCopies, registeredGlobal } from '../instrumentation/api-copies.js';

/**
 * What each copy of the API has in place of a provider that is yet to come. Whoever registers one later, we
 * or another SDK, replaces ours.
 */
export class StandIns {
  readonly #standIns: ProxyTracerProvider[];
  #ours: TracerProvider | undefined;

  constructor() {
    this.#standIns = apiCopies(true)
      .map(({ api }) => api.trace.getTracerProvider() as ProxyTracerProvider)
      .filter((provider) => typeof provider.setDelegate === 'function');
  }

  delegateTo(provider: TracerProvider): void {
    this.#ours = provider;
    for (const standIn of this.#standIns) standIn.setDelegate(provider);
  }

  /** Calls `then` when a provider is registered, before whoever registers it goes on. */
  whenReplaced(then: () => void): void {
    for (const standIn of this.#standIns) {
      const { setDelegate } = standIn;
      standIn.setDelegate = (provider) => {
        setDelegate.call(standIn, provider);
        then();
      };
    }
  }

  /** What has been registered since; undefined where nothing has. */
  get replacement(): TracerProvider | undefined {
    for (const standIn of this.#standIns) {
      const delegate = standIn.getDelegate();
      if (delegate !== this.#ours) return delegate;
    }
    return registeredGlobal('trace') as TracerProvider | undefined;
  }
}

/** Of a tracing that is disabled or has failed: its spans record nothing. */
export const recordsNothing: TracerProvider = new ProxyTracerProvider();
