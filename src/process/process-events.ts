/**
 * Events of `process` that this package needs, heard without a listener of its own where that is possible. A
 * listener would be counted by the app and by Node.js, which warns of a leak at the eleventh, and
 * `process.removeAllListeners('exit')` would take it away.
 *
 * @module
 */

type HeardEvent = 'exit' | 'worker' | 'uncaughtExceptionMonitor';
// biome-ignore lint/suspicious/noExplicitAny: as the listeners of an EventEmitter
type Listener = (...args: any[]) => void;

type Emit = typeof process.emit;

interface Heard {
  /** Called before the app's listeners. */
  before: Map<HeardEvent, Listener[]>;
  /** Called after them, unless one has thrown or ended the process. */
  after: Listener[];
  /** What calls them; undefined: a listener does. */
  emit?: Emit;
}

/** Of the event `exit`, at most, where `process.emit` is not wrapped. */
const OWN_LISTENERS = 4;

/** One for all copies of the package, and all bundles, in a process or thread. */
const HEARD = Symbol.for('forktrace.process-events');

const emitter: NodeJS.EventEmitter = process;

function heardHere(): Heard {
  const global = globalThis as { [HEARD]?: Heard };
  global[HEARD] ??= { before: new Map(), after: [] };
  return global[HEARD];
}

/**
 * Hears events in `process.emit`, from now on. Called before the code of the app is loaded: what wraps
 * `process.emit` later, as `signal-exit` does, calls this one, and puts this one back. Where something has
 * wrapped it before, it stays as it is, and listeners are used.
 */
export function hearInEmit(): void {
  const heard = heardHere();
  const isElsewhere = 'bun' in process.versions || 'deno' in process.versions;
  if (heard.emit || heard.before.size > 0 || Object.hasOwn(process, 'emit') || isElsewhere) return;
  const { emit: next } = process;
  function emit(this: unknown, event: HeardEvent, ...args: unknown[]): boolean {
    if (this !== process) return Reflect.apply(next, this, [event, ...args]);
    callAll(heard.before.get(event), args);
    const isListenedTo = Reflect.apply(next, this, [event, ...args]);
    if (event === 'exit') callAll(heard.after, args);
    return isListenedTo;
  }
  heard.emit = emit as Emit;
  Object.defineProperty(process, 'emit', { value: emit, configurable: true, writable: true, enumerable: false });
}

/** An app that has as many listeners as Node finds usual is not warned of a leak because of ours. */
export function allowListeners(): void {
  const most = process.getMaxListeners();
  if (!heardHere().emit && most > 0) process.setMaxListeners(most + OWN_LISTENERS);
}

/**
 * Calls a function at each such event, before the app's listeners.
 *
 * @param first also before those of this package that have been added
 * @returns a function that ends it
 */
export function hear(event: HeardEvent, listener: Listener, first = false): () => void {
  const { before, emit } = heardHere();
  let listeners = before.get(event);
  if (listeners === undefined) {
    listeners = [];
    before.set(event, listeners);
    if (!emit) emitter.prependListener(event, (...args: unknown[]) => callAll(before.get(event), args));
  }
  if (first) listeners.unshift(listener);
  else listeners.push(listener);
  return () => remove(listeners, listener);
}

/**
 * Calls a function at the exit, after the app's listeners.
 *
 * @returns a function that ends it; undefined where this needs a listener
 */
export function hearAfterExit(listener: Listener): (() => void) | undefined {
  const { after, emit } = heardHere();
  if (!emit) return undefined;
  after.push(listener);
  return () => remove(after, listener);
}

/** Whether other code has wrapped `process.emit`, and may do something after all listeners. */
export function isEmitWrapped(): boolean {
  const { emit } = heardHere();
  return emit ? process.emit !== emit : Object.hasOwn(process, 'emit');
}

function callAll(listeners: Listener[] | undefined, args: unknown[]): void {
  // One may end itself meanwhile.
  for (const listener of listeners ? [...listeners] : []) listener(...args);
}

function remove(listeners: Listener[], listener: Listener): void {
  const index = listeners.indexOf(listener);
  if (index !== -1) listeners.splice(index, 1);
}
