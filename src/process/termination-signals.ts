/**
 * Listens to termination signals, which belong to the app.
 *
 * Our listener is installed only while the app has none. As soon as the app listens to a signal, the app
 * decides how the process ends, at the first signal and at each later one. Code that counts listeners, as
 * `signal-exit` does to see whether it may end the process, never counts ours. `process.once` removes a
 * listener before it calls it: that is not mistaken for an app that does not listen.
 *
 * @module
 */

import { constants } from 'node:os';

export type TerminationSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

/**
 * Milliseconds after the first signal in which another one does not count as a second signal: npm delivers
 * Ctrl-C twice within 5 ms, and `timeout` and systemd signal the process and its group.
 */
export const SECOND_SIGNAL_AFTER_MS = 1000;

export interface SignalHandlers {
  /**
   * Called at the first signal that the app does not handle. It is to stop, then call {@link
   * TerminationSignals.reraise}.
   */
  stop(signal: TerminationSignal): void;
  /**
   * Called at the next signal, {@link SECOND_SIGNAL_AFTER_MS} later or more: nothing may be waited for any
   * longer. @default ends the process by the signal
   */
  force?(signal: TerminationSignal): void;
  /** Called when a further signal would count as a second one. */
  again?(): void;
  /**
   * Called at a signal that the app handles; the app decides how the process ends. With this option our
   * listener stays beside the app's. It is called first, and is not in the list while the app's listeners are
   * called.
   */
  handled?(signal: TerminationSignal): void;
}

type Listener = () => void;

/** `process`, with the events of added and removed listeners, which its type lacks. */
const listeners: NodeJS.EventEmitter = process;

export class TerminationSignals {
  /** Listeners of all instances: one instance must not take another one's listener for the app's. */
  static readonly #ours = new WeakSet<Listener>();
  readonly #handlers: SignalHandlers;
  readonly #listeners = new Map<TerminationSignal, Listener>();
  /** Signals of which the app's listeners are being told at the moment. */
  readonly #aside = new Set<TerminationSignal>();
  /** `performance.now()` of the first signal that the app did not handle. */
  #receivedAt: number | undefined;
  #moving = false;

  constructor(signals: readonly TerminationSignal[], handlers: SignalHandlers) {
    this.#handlers = handlers;
    for (const signal of signals) {
      const listener = () => this.#hear(signal);
      TerminationSignals.#ours.add(listener);
      this.#listeners.set(signal, listener);
      this.#settle(signal);
    }
    // Before Node's own listener, which starts to watch the signal for the first listener that is added.
    listeners.prependListener('newListener', this.#onNewListener);
    listeners.on('removeListener', this.#onRemoveListener);
  }

  /** Removes all listeners of this instance. */
  uninstall(): void {
    listeners.off('newListener', this.#onNewListener);
    listeners.off('removeListener', this.#onRemoveListener);
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
    this.#listeners.clear();
  }

  /** Ends the process by `signal`, as if nobody had listened to it. */
  reraise(signal: TerminationSignal): void {
    this.uninstall();
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // PID 1 of a container does not die of a signal that it has no handler for.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
  }

  #hear(signal: TerminationSignal): void {
    const { stop, force, handled } = this.#handlers;
    if (this.#appListens(signal)) {
      this.#stepAside(signal);
      handled?.(signal);
    } else if (this.#receivedAt === undefined) {
      this.#receivedAt = performance.now();
      stop(signal);
      this.#tellAgain(this.#receivedAt);
    } else if (performance.now() - this.#receivedAt < SECOND_SIGNAL_AFTER_MS) {
      // The same signal, sent twice.
    } else if (force) {
      force(signal);
    } else {
      this.reraise(signal);
    }
  }

  /** A timer of a busy event loop may fire early, by as much as the loop is late. */
  #tellAgain(receivedAt: number): void {
    const { again } = this.#handlers;
    if (again === undefined) return;
    const left = SECOND_SIGNAL_AFTER_MS - (performance.now() - receivedAt);
    if (left <= 0) again();
    else setTimeout(() => this.#tellAgain(receivedAt), Math.ceil(left)).unref();
  }

  /** Removes our listener while the app's listeners are called: one of them may count them. */
  #stepAside(signal: TerminationSignal): void {
    this.#aside.add(signal);
    this.#place(signal, 'absent');
    process.nextTick(() => {
      this.#aside.delete(signal);
      this.#settle(signal);
    });
  }

  readonly #onNewListener = (event: string | symbol, listener: Listener): void => {
    const signal = event as TerminationSignal;
    if (!this.#listeners.has(signal) || TerminationSignals.#ours.has(listener)) return;
    if (this.#handlers.handled) process.nextTick(() => this.#settle(signal));
    else this.#place(signal, 'absent');
  };

  /** At once, not in the next tick: `signal-exit` removes its listener and raises the signal in one go. */
  readonly #onRemoveListener = (event: string | symbol): void => {
    const signal = event as TerminationSignal;
    if (!this.#moving && this.#listeners.has(signal)) this.#settle(signal);
  };

  #settle(signal: TerminationSignal): void {
    if (!this.#appListens(signal)) this.#place(signal, 'first');
    else if (!this.#aside.has(signal)) this.#place(signal, this.#handlers.handled ? 'first' : 'absent');
  }

  #place(signal: TerminationSignal, place: 'first' | 'absent'): void {
    const listener = this.#listeners.get(signal);
    if (listener === undefined) return;
    const index = process.listeners(signal).indexOf(listener);
    if (index === (place === 'first' ? 0 : -1)) return;
    this.#moving = true;
    if (index !== -1) process.off(signal, listener);
    if (place === 'first') process.prependListener(signal, listener);
    this.#moving = false;
  }

  #appListens(signal: TerminationSignal): boolean {
    return process.listeners(signal).some((listener) => !TerminationSignals.#ours.has(listener as Listener));
  }
}
