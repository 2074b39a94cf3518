/**
 * Termination signals, taken over politely: the first one starts a graceful stop, a second one forces the exit, and in the
 * end the process dies of the signal that it would have died of without us.
 *
 * @module
 */

import { constants } from 'node:os';

export type TerminationSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

export class TerminationSignals {
  /** Listeners of every instance: the preload and a worker may both have one, and neither is the app's. */
  static readonly #ours = new WeakSet<() => void>();
  readonly #listeners = new Map<TerminationSignal, () => void>();
  #received: TerminationSignal | undefined;

  /** Calls `stop` on the first of `signals`, and `force` on the next. */
  constructor(
    signals: readonly TerminationSignal[],
    stop: (signal: TerminationSignal) => void,
    force: (signal: TerminationSignal) => void = (signal) => this.reraise(signal),
  ) {
    for (const signal of signals) {
      const listener = () => {
        if (this.#received !== undefined) return force(signal);
        this.#received = signal;
        stop(signal);
      };
      this.#listeners.set(signal, listener);
      TerminationSignals.#ours.add(listener);
      process.on(signal, listener);
    }
  }

  /** The app listens to the signal itself, and so decides how the process ends. */
  appListensTo(signal: TerminationSignal): boolean {
    return process.listeners(signal).some((listener) => !TerminationSignals.#ours.has(listener as () => void));
  }

  /** Gives the signals back. */
  uninstall(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
    this.#listeners.clear();
  }

  /** Ends the process by `signal`, as if nobody had listened. */
  reraise(signal: TerminationSignal): void {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // PID 1 of a container does not die of a signal that it has no handler for.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
  }
}
