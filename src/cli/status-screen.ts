/**
 * `forktrace status` on a terminal: the alternate screen, drawn again in place, left as it was found.
 *
 * @module
 */
import type { ClusterStats, WorkerView } from '../coordinator/handle.js';
import { colors } from './colors.js';
import { shippingLines, summaryLines, workerLines } from './status-view.js';

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

type Terminal = Pick<NodeJS.WriteStream, 'write' | 'columns' | 'rows'>;

/** Largest first, but slots in their order. */
const ORDERS: Record<string, [name: string, (worker: WorkerView) => number]> = {
  s: ['slot', ({ slot }) => -slot],
  r: ['requests', ({ requestsPerSecond }) => requestsPerSecond],
  e: ['errors', ({ failuresPerSecond }) => failuresPerSecond],
  l: ['latency', ({ stats }) => stats?.p99Ms ?? 0],
  c: ['CPU', ({ stats }) => stats?.cpu ?? 0],
  m: ['memory', ({ stats }) => stats?.rss ?? 0],
  x: ['restarts', ({ restartsLastHour }) => restartsLastHour],
};

const STEPS: Record<string, number | 'page up' | 'page down'> = {
  '\x1b[A': -1,
  k: -1,
  '\x1b[B': 1,
  j: 1,
  '\x1b[5~': 'page up',
  '\x1b[6~': 'page down',
};

export class StatusScreen {
  #stats: ClusterStats | undefined;
  #order = 's';
  /** Workers above the first line that is shown. */
  #offset = 0;
  /** Lines for workers on the last screen. */
  #room = 1;
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.write(ENTER);
  }

  leave(): void {
    this.#terminal.write(LEAVE);
  }

  show(stats: ClusterStats): void {
    this.#stats = stats;
    this.#draw();
  }

  /** @returns false: the user wants to leave */
  key(key: string): boolean {
    if (key === 'q' || key === '\x03' || key === '\x04') return false;
    if (Object.hasOwn(ORDERS, key)) this.#order = key;
    if (Object.hasOwn(STEPS, key)) {
      const step = STEPS[key]!;
      this.#offset += step === 'page up' ? -this.#room : step === 'page down' ? this.#room : step;
    }
    this.#draw();
    return true;
  }

  #draw(): void {
    if (this.#stats === undefined) return;
    const { columns = 80, rows = 24 } = this.#terminal;
    const lines = this.#lines(this.#stats, columns, rows);
    // In place: each line clears its own rest, so that nothing flickers.
    this.#terminal.write(HOME + lines.map((line) => line + CLEAR_LINE).join('\r\n') + CLEAR_BELOW);
  }

  #lines(stats: ClusterStats, width: number, height: number): string[] {
    const [, by] = ORDERS[this.#order]!;
    const workers = stats.workers.toSorted((a, b) => by(b) - by(a) || a.slot - b.slot);
    const summary = summaryLines(stats, width);
    const shipping = shippingLines(stats, width);
    const [head, ...rows] = workerLines(workers, width);
    // The head of the table and the line of keys.
    this.#room = Math.max(1, height - summary.length - shipping.length - 2);
    this.#offset = Math.max(0, Math.min(this.#offset, rows.length - this.#room));
    const shown = rows.slice(this.#offset, this.#offset + this.#room);
    return [...summary, head!, ...shown, ...shipping, this.#keys(rows.length, shown.length, width)].slice(0, height);
  }

  #keys(workers: number, shown: number, width: number): string {
    const place = shown < workers ? `${this.#offset + 1}–${this.#offset + shown} of ${workers} · ↑↓ scroll · ` : '';
    const text = `${place}q quit · sort by ${ORDERS[this.#order]![0]} (s r e l c m x)`;
    return colors.dim(text.length > width ? text.slice(0, width) : text);
  }
}
