/**
 * Termination signals, as a guest: they are the app's.
 *
 * A listener of ours is there only while nobody else listens to the signal. With one of the app's, the app
 * decides how the process ends, at the first signal and at every other; who counts listeners, as
 * `signal-exit` does to see whether it may end the process, counts none of ours; and what `process.once`
 * takes away before it is called is not mistaken for an app that does not care.
 *
 * @module
 */

import { constants } from 'node:os';

export type TerminationSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

/**
 * A signal that comes sooner after the first is not a second one: npm delivers Ctrl-C twice within 5 ms, and
 * `timeout` and systemd signal the process and its group.
 */
export const SECOND_SIGNAL_AFTER_MS = 1000;

export interface SignalHandlers {
  /** The first signal that the app leaves to us: stop, then {@link TerminationSignals.reraise}. */
  stop(signal: TerminationSignal): void;
  /**
   * The next one, {@link SECOND_SIGNAL_AFTER_MS} later or more: no more waiting. @default ends the process by
   * the signal
   */
  force?(signal: TerminationSignal): void;
  /** From now on a signal is a second one. */
  again?(): void;
  /**
   * A signal that the app handles; how the process ends is the app's to say. With this there is a listener of
   * ours beside the app's: it is called first, and not in the list while the app's are called.
   */
  handled?(signal: TerminationSignal): void;
}

type Listener = () => void;

/** The process, with the events of listeners that come and go, which its type lacks. */
const listeners: NodeJS.EventEmitter = process;

export class TerminationSignals {
  /** Listeners of every instance: two in one process are not each other's app. */
  static readonly #ours = new WeakSet<Listener>();
  readonly #handlers: SignalHandlers;
  readonly #listeners = new Map<TerminationSignal, Listener>();
  /** Signals that the app's listeners are being told of. */
  readonly #aside = new Set<TerminationSignal>();
  /** `performance.now()` of the first signal that was left to us. */
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
    // Before Node's own, which then starts to watch the signal for a listener that is the only one.
    listeners.prependListener('newListener', this.#onNewListener);
    listeners.on('removeListener', this.#onRemoveListener);
  }

  /** Gives the signals back. */
  uninstall(): void {
    listeners.off('newListener', this.#onNewListener);
    listeners.off('removeListener', this.#onRemoveListener);
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
    this.#listeners.clear();
  }

  /** Ends the process by `signal`, as if nobody had listened. */
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
      // One that was sent twice.
    } else if (force) {
      force(signal);
    } else {
      this.reraise(signal);
    }
  }

  /** A timer of a busy event loop may come early by what the loop is late. */
  #tellAgain(receivedAt: number): void {
    const { again } = this.#handlers;
    if (again === undefined) return;
    const left = SECOND_SIGNAL_AFTER_MS - (performance.now() - receivedAt);
    if (left <= 0) again();
    else setTimeout(() => this.#tellAgain(receivedAt), Math.ceil(left)).unref();
  }

  /** Out of the list while the app's listeners are called: one of them may count. */
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

  /** At once, not in the next tick: `signal-exit` takes its listener away and raises the signal in one go. */
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
