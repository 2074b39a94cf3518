import type { Trace } from './store/trace.js';
import type { TraceStore } from './store/trace-store.js';

/**
 * A trace is complete enough when nothing has come for it for so long: exports of its processes are a few 100
 * ms apart.
 */
const QUIET_MS = 700;
const INTERVAL_MS = 100;

/** While printing is paused, so many traces wait; older ones are left out and counted. */
const MAX_WAITING = 1000;

/** Prints each trace that is wanted, once, when it has gone quiet. */
export class TracePrinter {
  readonly #store: TraceStore;
  readonly #render: (trace: Trace) => string;
  readonly #print: (text: string) => void;
  /** Trace id → when its latest span came. */
  readonly #waiting = new Map<string, number>();
  readonly #wanted: (trace: Trace) => boolean;
  #paused = false;
  #leftOut = 0;
  readonly #timer: NodeJS.Timeout;

  /** @param wanted which traces are printed */
  constructor(
    store: TraceStore,
    wanted: (trace: Trace) => boolean,
    render: (trace: Trace) => string,
    print = (text: string) => console.log(text),
  ) {
    this.#wanted = wanted;
    this.#store = store;
    this.#render = render;
    this.#print = print;
    store.onSpan((_span, trace) => {
      this.#waiting.set(trace.id, performance.now());
      if (this.#waiting.size <= MAX_WAITING) return;
      this.#waiting.delete(this.#waiting.keys().next().value as string);
      this.#leftOut++;
    });
    this.#timer = setInterval(() => this.#printBefore(performance.now() - QUIET_MS), INTERVAL_MS);
  }

  /** Holds printing, or goes on with what has come meanwhile. */
  set paused(paused: boolean) {
    this.#paused = paused;
    if (paused || this.#leftOut === 0) return;
    this.#print(`… ${this.#leftOut} traces were left out`);
    this.#leftOut = 0;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Prints what is left. */
  close(): void {
    clearInterval(this.#timer);
    this.#printBefore(Number.POSITIVE_INFINITY);
  }

  #printBefore(time: number): void {
    if (this.#paused && time !== Number.POSITIVE_INFINITY) return;
    for (const [id, latest] of this.#waiting) {
      if (latest > time) continue;
      this.#waiting.delete(id);
      const trace = this.#store.traces.get(id);
      if (trace && this.#wanted(trace)) this.#print(this.#render(trace));
    }
  }
}
