import { ProxyTracerProvider, type TracerProvider } from '@opentelemetry/api';
import { apiCopies, registeredGlobal } from '../instrumentation/api-copies.js';

/**
 * The stand-ins in each copy of the API. A provider that is registered later, by forktrace or by another SDK,
 * replaces them.
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

  /** Calls `then` when a provider is registered, before the registering code goes on. */
  whenReplaced(then: () => void): void {
    for (const standIn of this.#standIns) {
      const { setDelegate } = standIn;
      standIn.setDelegate = (provider) => {
        setDelegate.call(standIn, provider);
        then();
      };
    }
  }

  /** The provider that has been registered since; undefined when there is none. */
  get replacement(): TracerProvider | undefined {
    for (const standIn of this.#standIns) {
      const delegate = standIn.getDelegate();
      if (delegate !== this.#ours) return delegate;
    }
    return registeredGlobal('trace') as TracerProvider | undefined;
  }
}

/** Used when tracing is disabled or has failed to start: its spans record nothing. */
export const recordsNothing: TracerProvider = new ProxyTracerProvider();
