import pc from 'picocolors';
import type { TraceStore } from '#src/viewer/store/trace-store.js';
import { storedTraceText } from '#src/viewer/store/trace-text.js';

/** A trace is complete enough when nothing has come for it for so long: exports of its processes are 200 ms apart. */
const QUIET_MS = 700;

/** Prints each trace as a tree, once. */
export class TracePrinter {
  readonly #store: TraceStore;
  /** Trace id → when its latest span came. */
  readonly #waiting = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(store: TraceStore) {
    this.#store = store;
    store.onSpan = (_span, trace) => void this.#waiting.set(trace.id, performance.now());
    this.#timer = setInterval(() => this.#print(performance.now() - QUIET_MS), 100);
  }

  /** Prints what is left. */
  close(): void {
    clearInterval(this.#timer);
    this.#print(Number.POSITIVE_INFINITY);
  }

  #print(before: number): void {
    for (const [id, latest] of this.#waiting) {
      if (latest > before) continue;
      this.#waiting.delete(id);
      const trace = this.#store.traces.get(id);
      if (trace) console.log(storedTraceText(trace, { color: pc, width: process.stdout.columns ?? 120 }));
    }
  }
}
