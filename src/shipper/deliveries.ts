/**
 * Where what writers have goes: one delivery for each destination that a writer has said, with the newest
 * login and certificates that anybody has said for it.
 *
 * @module
 */
import type { ResolvedExport } from '../config/resolved.js';
import { addRefused } from '../journal/refused.js';
import { Delivery, gatherMsOf } from './delivery.js';
import { type Destination, destinationOf, logsExportOf } from './destination.js';
import { ExportReport } from './export-report.js';
import { isAwaited } from './fresh-export.js';
import { setAside } from './set-aside.js';
import type { ShipperCounts } from './shipper-counts.js';
import type { TailedWriter } from './tailed-writer.js';
import type { Signal } from './transport.js';

/** Of OTLP's signals, those that journals hold. */
export const SHIPPED_SIGNALS: readonly Signal[] = ['traces', 'logs'];

const keyOf = (signal: Signal, { id }: Destination): string => `${signal} ${id}`;

interface DeliveriesOptions {
  /** The service's journal directory. */
  dir: string;
  /** Where spans go whose writer has not said another place. */
  export: ResolvedExport;
  /** All spans go there, whatever their writers have said. @default false */
  everythingThere?: boolean | undefined;
  /** Until what was set aside is tried again the first time, in milliseconds. @default 10,000 */
  setAsideMs?: number | undefined;
  /** Until what failed is tried again the first time, in milliseconds. @default 250 */
  retryMs?: number | undefined;
  /** Until a larger request is tried than the last that was too large, in milliseconds. @default 60,000 */
  requestGrowsMs?: number | undefined;
}

export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #counts: ShipperCounts;
  readonly #writers: () => Iterable<TailedWriter>;
  readonly #answered: (delivery: Delivery) => void;
  /** By signal and {@link Destination.id}. */
  readonly #deliveries = new Map<string, Delivery>();
  /** What was said of each destination last. */
  readonly #targets = new Map<string, ResolvedExport>();
  readonly #saidAt = new Map<string, number>();
  readonly #own: Record<Signal, Destination>;
  /** `performance.now()`, set by {@link stop}. */
  #stopAt: number | undefined;

  /**
   * @param writers all of the directory
   * @param answered one has an answer: there may be more for it to send
   */
  constructor(
    options: DeliveriesOptions,
    counts: ShipperCounts,
    writers: () => Iterable<TailedWriter>,
    answered: (delivery: Delivery) => void,
  ) {
    this.#options = options;
    this.#counts = counts;
    this.#writers = writers;
    this.#answered = answered;
    const logs = logsExportOf(options.export);
    this.#own = { traces: destinationOf(options.export), logs: destinationOf(logs, 'logs') };
    this.#targets.set(keyOf('traces', this.#own.traces), options.export);
    this.#targets.set(keyOf('logs', this.#own.logs), logs);
  }

  /**
   * What a writer, or the shipper's own starter, says of a destination: the newest is what is sent with.
   * @returns whether it is news to anybody
   */
  hear(target: ResolvedExport, at: number): boolean {
    const isNews = this.#hear('traces', target, at);
    const isOwn = destinationOf(target).id === this.#own.traces.id;
    const logs = target.logs ?? (isOwn ? logsExportOf(target) : undefined);
    return (logs !== undefined && this.#hear('logs', logs, at)) || isNews;
  }

  #hear(signal: Signal, target: ResolvedExport, at: number): boolean {
    const key = keyOf(signal, destinationOf(target, signal));
    // After a shipper was killed, writers say again what they know, in any order.
    if (at < (this.#saidAt.get(key) ?? 0)) return false;
    this.#saidAt.set(key, at);
    const known = this.#targets.get(key);
    this.#targets.set(key, target);
    if (JSON.stringify(known) === JSON.stringify(target)) return false;
    this.#deliveries.get(key)?.use(target);
    return true;
  }

  /** Of every destination that there is something for. */
  withLag(): Set<Delivery> {
    const found = new Set<Delivery>();
    for (const writer of this.#writers()) {
      if (this.#isHeld(writer)) continue;
      for (const signal of SHIPPED_SIGNALS) {
        if (![...writer.of(signal).values()].some(({ lag }) => lag > 0)) continue;
        const destination = this.#destinationOf(writer, signal);
        const key = keyOf(signal, destination);
        const delivery = this.#deliveries.get(key) ?? this.#open(signal, destination);
        this.#deliveries.set(key, delivery);
        found.add(delivery);
      }
    }
    return found;
  }

  /** Each sends on until `stopAt`, by `performance.now()`. */
  stop(stopAt: number): void {
    this.#stopAt = stopAt;
    for (const delivery of this.#deliveries.values()) delivery.stop(stopAt);
  }

  /** The shortest time that anybody's spans wait for others to travel with, in milliseconds. */
  get gatherMs(): number {
    return Math.min(...[...this.#targets.values()].map(gatherMsOf));
  }

  close(): void {
    for (const delivery of this.#deliveries.values()) delivery.close();
  }

  /** Whether anything waits, or may yet come, to be printed on this process' standard output. */
  get hasToPrint(): boolean {
    for (const writer of this.#writers()) {
      for (const signal of SHIPPED_SIGNALS) {
        const waits = !writer.finished || [...writer.of(signal).values()].some(({ lag }) => lag > 0);
        if (waits && this.#isPrinted(writer, signal)) return true;
      }
    }
    return false;
  }

  #isPrinted(writer: TailedWriter, signal: Signal): boolean {
    const destination = this.#destinationOf(writer, signal);
    return destination.to === 'console' || this.#targets.get(keyOf(signal, destination))?.print === true;
  }

  /** Where a writer's items of a signal go. */
  #destinationOf(writer: TailedWriter, signal: Signal): Destination {
    if (this.#options.everythingThere) return this.#own[signal];
    const said = writer.saidIn(this.#options.dir);
    return (signal === 'logs' ? said?.logs : said) ?? this.#own[signal];
  }

  /** A shipper that stops sends what there is, as it is. */
  #isHeld(writer: TailedWriter): boolean {
    return this.#stopAt === undefined && writer.isWaiting();
  }

  #open(signal: Signal, destination: Destination): Delivery {
    const { dir, setAsideMs, retryMs, requestGrowsMs } = this.#options;
    const key = keyOf(signal, destination);
    const said = this.#targets.get(key);
    const target: ResolvedExport = said ?? {
      to: destination.to,
      url: destination.url,
      headers: {},
      compression: 'none',
      timeoutMs: this.#options.export.timeoutMs,
      tls: {},
    };
    const delivery = new Delivery({
      signal,
      export: target,
      isAwaited: said ? isAwaited(said) : destination.needsLogin,
      report: new ExportReport(target, signal, () => (this.#targets.has(key) ? undefined : dir)),
      counts: this.#counts[signal],
      writers: () =>
        [...this.#writers()].filter(
          (writer) => !this.#isHeld(writer) && keyOf(signal, this.#destinationOf(writer, signal)) === key,
        ),
      malformed: (count, what) => this.#counts.malformed(count, what),
      refused: (spans, errorType) => {
        if (signal !== 'traces') return;
        for (const [writer, count] of spans) {
          const id = writer.saidIn(dir)?.setAsideOf ?? writer.identity.id;
          addRefused(dir, id, errorType, count);
        }
      },
      setAside: (writer, chunk) => setAside(dir, writer, signal, chunk),
      setAsideMs,
      retryMs,
      requestGrowsMs,
      answered: () => this.#answered(delivery),
    });
    if (this.#stopAt !== undefined) delivery.stop(this.#stopAt);
    return delivery;
  }
}
