import type { TraceStore } from './store/trace-store.js';
import { storedTraceText } from './store/trace-text.js';
import type { TextOptions } from './text.js';

/** A trace is complete enough when nothing has come for it for so long: exports of its processes are a few 100 ms apart. */
const QUIET_MS = 700;
const INTERVAL_MS = 100;

/** Prints each trace as a tree, once, when it has gone quiet. */
export class TracePrinter {
  readonly #store: TraceStore;
  readonly #options: TextOptions;
  readonly #print: (text: string) => void;
  /** Trace id → when its latest span came. */
  readonly #waiting = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(store: TraceStore, options: TextOptions = {}, print = (text: string) => console.log(text)) {
    this.#store = store;
    this.#options = options;
    this.#print = print;
    store.onSpan((_span, trace) => this.#waiting.set(trace.id, performance.now()));
    this.#timer = setInterval(() => this.#printBefore(performance.now() - QUIET_MS), INTERVAL_MS);
  }

  /** Prints what is left. */
  close(): void {
    clearInterval(this.#timer);
    this.#printBefore(Number.POSITIVE_INFINITY);
  }

  #printBefore(time: number): void {
    for (const [id, latest] of this.#waiting) {
      if (latest > time) continue;
      this.#waiting.delete(id);
      const trace = this.#store.traces.get(id);
      if (trace) this.#print(storedTraceText(trace, this.#options));
    }
  }
}
