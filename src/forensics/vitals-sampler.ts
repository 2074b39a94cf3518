/**
 * Writes this process's vitals once a second into memory that survives the process, so that the figures of
 * the last second are known after a death.
 *
 * @module
 */
import {
  constants,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import type { VitalsWriter } from '../journal/vitals.js';
import { cgroupLimit, cgroupUsed } from './cgroup-memory.js';
import { oldGenerationLimit } from './heap-limit.js';
import { storeSample } from './vitals-table.js';

const INTERVAL_MS = 1000;
/**
 * Counting handles visits each of them, and a limit hardly changes: both are looked at in every tenth sample.
 */
const RARELY = 10;
/**
 * Resolution of Node's own timer in C++. At this value it costs a busy process a few microseconds a second.
 */
const DELAY_RESOLUTION_MS = 100;
/**
 * Below this utilisation the timer is off: ten times a second it would wake a process that does nothing else,
 * which takes a quarter of what tracing costs it then.
 */
const IDLE_BELOW = 0.01;
const NANOSECONDS = 1e6;

/** Counts that other parts of the process know. */
export interface Counts {
  inFlight: number;
  served: number;
  spans: number;
}

export class VitalsSampler {
  readonly #vitals: VitalsWriter;
  readonly #counts: () => Counts;
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  readonly #collections: PerformanceObserver;
  readonly #timer: NodeJS.Timeout;
  readonly #heapLimit = oldGenerationLimit();
  readonly #getHeapStatistics = process.getBuiltinModule('node:v8').getHeapStatistics;
  #utilization = performance.eventLoopUtilization();
  #taken = 0;
  #handles = 0;
  #cgroupLimit = 0;
  #tickAt = performance.now();
  /** By how much the last sample was late, in milliseconds. */
  #lateMs = 0;
  #gcMs = 0;
  #majorGcs = 0;

  /** Starts at once, and does not keep the process alive. */
  constructor(vitals: VitalsWriter, counts: () => Counts) {
    this.#vitals = vitals;
    this.#counts = counts;
    this.#delay.enable();
    this.#collections = new PerformanceObserver((list) => this.#collected(list.getEntries()));
    this.#collections.observe({ entryTypes: ['gc'] });
    this.#timer = setInterval(() => this.#tick(), INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#collections.disconnect();
    this.#delay.disable();
  }

  #tick(): void {
    const now = performance.now();
    this.#lateMs = Math.max(0, now - this.#tickAt - INTERVAL_MS);
    this.#tickAt = now;
    this.sample();
  }

  /** Takes a sample. Never throws: without a free file descriptor a number stays as it was. */
  sample(): void {
    const heap = this.#getHeapStatistics();
    const elu = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(elu, this.#utilization);
    this.#utilization = elu;
    const { user, system } = process.cpuUsage();
    if (this.#taken % RARELY === 0) {
      this.#handles = process.getActiveResourcesInfo().length;
      this.#cgroupLimit = cgroupLimit();
    }
    const { inFlight, served, spans } = this.#counts();
    const sample = {
      atMs: Date.now(),
      heapUsed: heap.used_heap_size,
      heapLimit: this.#heapLimit,
      rss: residentSet(),
      external: heap.external_memory,
      cgroupUsed: cgroupUsed() ?? 0,
      cgroupLimit: this.#cgroupLimit,
      utilization,
      // The histogram is empty before the first turn of its timer, and while that is off.
      delayMs: this.#delay.count > 0 ? this.#delay.max / NANOSECONDS - DELAY_RESOLUTION_MS : this.#lateMs,
      gcMs: this.#gcMs,
      majorGcs: this.#majorGcs,
      inFlight,
      served,
      spans,
      handles: this.#handles,
      cpuMs: (user + system) / 1000,
    };
    this.#delay.reset();
    if (utilization < IDLE_BELOW) this.#delay.disable();
    else this.#delay.enable();
    this.#gcMs = 0;
    storeSample((index, value) => this.#vitals.set(index, value), sample, this.#taken++);
    this.#vitals.flush();
  }

  #collected(entries: PerformanceEntry[]): void {
    let major = false;
    for (const entry of entries) {
      this.#gcMs += entry.duration;
      const { detail } = entry as PerformanceEntry & { detail?: { kind?: number } };
      major ||= detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
    }
    if (!major) return;
    this.#majorGcs++;
    // A process that runs out of memory is busy collecting garbage, and its timers are late.
    this.sample();
  }
}

function residentSet(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    // EMFILE, ENFILE.
    return 0;
  }
}
