/**
 * What the rounds of one app at one rate say: CPU that a contestant adds to the untraced server's, and its
 * share of another's.
 *
 * @module
 */
import type { Latency } from '../load.js';
import { median, quartile } from '../statistics.js';
import type { CpuPerRequest } from './served.js';

/** What a contestant has used in a window of time, or in the mean of some. */
export interface Window {
  cpu: CpuPerRequest;
  latency: Latency | undefined;
}

/** A contestant's windows, one of each pass, in order; the untraced server's are named `untraced`. */
export type Passes = Map<string, Window[]>;
/** Likewise, one of each round. */
export type Rounds = Map<string, Window[]>;

/** Puts passes that follow each other together: CPU time is their mean, a percentile their median. */
export function inRounds(passes: Passes, most: number): Rounds {
  return new Map(
    [...passes].map(([name, windows]) => {
      const count = Math.min(most, windows.length);
      const at = (round: number) => Math.floor((round * windows.length) / count);
      return [name, Array.from({ length: count }, (_, round) => together(windows.slice(at(round), at(round + 1))))];
    }),
  );
}

function together(windows: readonly Window[]): Window {
  const mean = (key: keyof CpuPerRequest) => windows.reduce((sum, { cpu }) => sum + cpu[key], 0) / windows.length;
  const latencies = windows.map(({ latency }) => latency).filter((latency) => latency !== undefined);
  const middle = (key: keyof Latency) => median(latencies.map((latency) => latency[key]));
  return {
    cpu: { worker: mean('worker'), shipper: mean('shipper'), others: mean('others') },
    latency: latencies.length > 0 ? { p50: middle('p50'), p99: middle('p99'), p999: middle('p999') } : undefined,
  };
}

export interface RateRow {
  app: string;
  /** As it was asked for: a number, or a share of what the untraced server can do. */
  asked: string;
  /** Requests a second. */
  rate: number;
  /** Windows of each contestant; not in earlier results. */
  passes?: number;
  rounds: number;
  contestants: RateContestant[];
  /** Who cannot keep the rate. */
  unable: string[];
}

export interface RateContestant {
  name: string;
  /**
   * Microseconds of CPU a request, the medians of the rounds; of `untraced` all that there is, of the others
   * what they add.
   */
  worker: number;
  shipper: number;
  /** What three quarters of the rounds have at most. */
  shipperThreeQuarters: number;
  others: number;
  all: number;
  /** What forktrace adds, over all processes, as a share of what this one adds. */
  share: Quartiles | undefined;
  p50: number | undefined;
  p99: number | undefined;
  p999: number | undefined;
  /** The 99th percentile against the untraced server's, of the same round. */
  p99Ratio: Quartiles | undefined;
  delivered: number | undefined;
}

export interface Quartiles {
  lower: number;
  median: number;
  upper: number;
  /** The quartiles are within 15 % of the median: else the rounds disagree, and the ratio is not known. */
  isKnown: boolean;
}

const WITHIN = 0.15;

export function quartiles(values: readonly number[]): Quartiles {
  const sorted = [...values].sort((a, b) => a - b);
  // Between two rounds by their distance from it, so that few rounds are not quarters by luck.
  const at = (share: number) => {
    const index = (sorted.length - 1) * share;
    const below = Math.floor(index);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below]! + (sorted[above]! - sorted[below]!) * (index - below);
  };
  const [lower, middle, upper] = [at(0.25), at(0.5), at(0.75)];
  const isKnown = sorted.length >= 3 && middle > 0 && lower >= middle * (1 - WITHIN) && upper <= middle * (1 + WITHIN);
  return { lower, median: middle, upper, isKnown };
}

const total = ({ worker, shipper, others }: CpuPerRequest) => worker + shipper + others;

/** @param ours whose cost is the numerator of every share */
export function summarize(rounds: Rounds, ours: string, delivered: (name: string) => number | undefined) {
  const untraced = rounds.get('untraced')!;
  const added = (name: string) => rounds.get(name)!.map(({ cpu }, round) => total(cpu) - total(untraced[round]!.cpu));
  return [...rounds].map(([name, own]): RateContestant => {
    const part = (of: (cpu: CpuPerRequest) => number) =>
      median(own.map(({ cpu }, round) => of(cpu) - (name === 'untraced' ? 0 : of(untraced[round]!.cpu))));
    const latency = (key: keyof Latency) => {
      const values = own.map((each) => each.latency?.[key]).filter((value) => value !== undefined);
      return values.length > 0 ? median(values) : undefined;
    };
    const isPeer = name !== 'untraced' && name !== ours && rounds.has(ours);
    const theirs = isPeer ? added(name) : [];
    const p99 = own.flatMap(({ latency }, round) => {
      const base = untraced[round]!.latency;
      return latency && base ? [latency.p99 / base.p99] : [];
    });
    return {
      name,
      worker: part((cpu) => cpu.worker),
      shipper: part((cpu) => cpu.shipper),
      shipperThreeQuarters: quartile(
        own.map(({ cpu }) => cpu.shipper),
        'upper',
      ),
      others: part((cpu) => cpu.others),
      all: part(total),
      share: isPeer ? quartiles(added(ours).map((value, round) => value / theirs[round]!)) : undefined,
      p50: latency('p50'),
      p99: latency('p99'),
      p999: latency('p999'),
      p99Ratio: name !== 'untraced' && p99.length > 0 ? quartiles(p99) : undefined,
      delivered: delivered(name),
    };
  });
}
