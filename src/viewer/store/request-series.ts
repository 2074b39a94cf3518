/**
 * The requests that one lane served: the newest one by one, all of them counted in time buckets, so that a
 * busy hour is drawn as busy although nobody keeps its requests.
 *
 * @module
 */

export interface ServedRequest {
  startMs: number;
  endMs: number;
  error: boolean;
  interrupted: boolean;
  name: string;
  traceId: string;
}

/** What was served within a stretch of time. */
export interface RequestCounts {
  requests: number;
  /** Without the interrupted. */
  errors: number;
  interrupted: number;
}

/** Requests kept one by one. */
const MAX_RECENT = 1024;

/**
 * Buckets of each level: two minutes, 17 minutes and two hours, in no more columns than a screen has pixels.
 */
const LEVELS = [
  { stepMs: 250, buckets: 512 },
  { stepMs: 2000, buckets: 512 },
  { stepMs: 15_000, buckets: 512 },
] as const;

/** Twenty bins per decade from 0.01 ms to 1,000 s: a percentile is right to 12 %. */
const BINS_PER_DECADE = 20;
const BINS = 8 * BINS_PER_DECADE;
const FIRST_MS = 0.01;

class Bucket implements RequestCounts {
  requests = 0;
  errors = 0;
  interrupted = 0;
  readonly durations = new Uint16Array(BINS);

  /** @param index of the bucket, counted from 1970 */
  constructor(readonly index: number) {}
}

export class RequestSeries {
  /** A ring: `#next` is the oldest once it is full. */
  readonly #recent: ServedRequest[] = [];
  #next = 0;
  /** Start of the newest request that has left the ring. */
  #forgottenMs = Number.NEGATIVE_INFINITY;
  readonly #levels = LEVELS.map(({ buckets }) => new Array<Bucket | undefined>(buckets));

  add(request: ServedRequest): void {
    if (this.#recent.length < MAX_RECENT) this.#recent.push(request);
    else {
      this.#forgottenMs = Math.max(this.#forgottenMs, this.#recent[this.#next]!.startMs);
      this.#recent[this.#next] = request;
      this.#next = (this.#next + 1) % MAX_RECENT;
    }
    for (const [level, { stepMs, buckets }] of LEVELS.entries()) {
      const index = Math.floor(request.startMs / stepMs);
      const place = index % buckets;
      let bucket = this.#levels[level]![place];
      if (bucket === undefined || bucket.index < index) {
        bucket = new Bucket(index);
        this.#levels[level]![place] = bucket;
      } else if (bucket.index > index) continue;
      bucket.requests++;
      if (request.interrupted) bucket.interrupted++;
      else if (request.error) bucket.errors++;
      const bin = binOf(request.endMs - request.startMs);
      if (bucket.durations[bin]! < 0xffff) bucket.durations[bin]!++;
    }
  }

  /**
   * The requests of a window by start; undefined when not all of them are kept, or there are more than
   * `limit`.
   */
  within(fromMs: number, toMs: number, limit: number): ServedRequest[] | undefined {
    if (this.#forgottenMs >= fromMs) return undefined;
    const found = this.#recent.filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs);
    return found.length > limit ? undefined : found.sort((a, b) => a.startMs - b.startMs);
  }

  /** The same window in equal columns of at least `leastStepMs`. */
  columns(fromMs: number, toMs: number, leastStepMs: number): RequestColumns {
    const level = LEVELS.findIndex(({ stepMs, buckets }) => stepMs >= leastStepMs && stepMs * buckets > toMs - fromMs);
    const used = level === -1 ? LEVELS.length - 1 : level;
    const { stepMs, buckets } = LEVELS[used]!;
    const first = Math.floor(fromMs / stepMs);
    const last = Math.floor(toMs / stepMs);
    const columns: RequestColumns = { startMs: first * stepMs, stepMs, buckets: [] };
    for (let index = Math.max(first, last - buckets + 1); index <= last; index++) {
      const bucket = this.#levels[used]![index % buckets];
      if (bucket?.index === index) columns.buckets.push(bucket);
    }
    return columns;
  }
}

export interface RequestColumns {
  startMs: number;
  stepMs: number;
  /** By time; those in which nothing was served are left out. */
  buckets: Readonly<Bucket>[];
}

/**
 * The duration that `share` (0..1) of the requests of `buckets` do not exceed, to 12 %, mostly far less.
 *
 * @returns undefined when there are none
 */
export function bucketPercentile(buckets: readonly Readonly<Bucket>[], share: number): number | undefined {
  let total = 0;
  for (const { requests } of buckets) total += requests;
  if (total === 0) return undefined;
  let left = Math.ceil(total * share);
  for (let bin = 0; bin < BINS; bin++) {
    let here = 0;
    for (const { durations } of buckets) here += durations[bin]!;
    if (left <= here) return FIRST_MS * 10 ** ((bin + left / here) / BINS_PER_DECADE);
    left -= here;
  }
  return undefined;
}

function binOf(durationMs: number): number {
  const bin = Math.floor(Math.log10(Math.max(durationMs, FIRST_MS) / FIRST_MS) * BINS_PER_DECADE);
  return Math.min(BINS - 1, bin);
}
