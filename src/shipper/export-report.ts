/**
 * What an operator is told about one endpoint: that it fails, why and what may be wrong; that it delivers
 * again; and at the end all that has not been said before.
 *
 * @module
 */
import type { ResolvedExport } from '../config/resolved.js';
import { numberOf } from '../number-of.js';
import { LossReport, warn } from '../warn.js';
import { endpointOf } from './endpoint-url.js';
import { likelyMistake } from './likely-mistake.js';
import type { SendResult, Signal } from './transport.js';

type Failure = Extract<SendResult, { outcome: 'retry' | 'blocked' }>;

interface Outage {
  since: number;
  attempts: number;
  /** Not told yet, while it is found out what may be wrong. */
  pending: number;
  reason: string;
  mistake: string | undefined;
  slow: boolean;
  said: boolean;
}

/** An endpoint that comes and goes is told of so often within a minute, then once a minute. */
const OUTAGES_PER_MINUTE = 3;

export class ExportReport {
  readonly #target: ResolvedExport;
  /** URL and protocol. */
  readonly name: string;
  readonly #isOfLogs: boolean;
  readonly #leftIn: () => string | undefined;
  /** What is exported, as messages name it. */
  readonly #what: string;
  /** The endpoint has no logs service, and that has been said. */
  isMissing = false;
  readonly #refusals: LossReport;
  readonly #setAsides: LossReport;
  readonly #outages: LossReport;
  #outage: Outage | undefined;
  #saidTooLarge = false;
  /** When the last outages were over, by `performance.now()`. */
  #ends: number[] = [];

  /**
   * @param leftIn the journal directory, while no process that runs has named this endpoint: those that did
   * have
   *   ended
   */
  constructor(target: ResolvedExport, signal: Signal = 'traces', leftIn: () => string | undefined = () => undefined) {
    this.#target = target;
    this.#leftIn = leftIn;
    this.#isOfLogs = signal === 'logs';
    this.#what = this.#isOfLogs ? 'log records' : 'spans';
    const endpoint = endpointOf(target, signal);
    this.name = endpoint ? `${endpoint.name} (${endpoint.protocol})` : target.to;
    this.#refusals = new LossReport(
      'FORKTRACE_SPANS_REFUSED',
      (spans, reason) =>
        `${this.name} refused ${numberOf(spans, this.#isOfLogs ? 'log record' : 'span')} for good: ${reason}.`,
    );
    this.#setAsides = new LossReport(
      'FORKTRACE_SPANS_SET_ASIDE',
      (spans, reason) =>
        `${numberOf(spans, this.#isOfLogs ? 'log record' : 'span')} set aside in the journal: ${this.name} fails each time that this one is sent, and accepts others (${reason}). It is sent again at growing intervals.`,
    );
    this.#outages = new LossReport(
      'FORKTRACE_EXPORT_FAILED',
      (attempts, reason) =>
        `${numberOf(attempts, 'export')} to ${this.name} failed; their ${this.#what} are kept and sent again: ${reason}.`,
    );
  }

  failed(failure: Failure): void {
    if (this.#isOfLogs && failure.outcome === 'blocked' && failure.missing) {
      this.#sayMissing(failure.reason);
      return;
    }
    const outage = this.#outage ?? this.#begin(failure);
    outage.attempts++;
    outage.reason = failure.reason;
    outage.slow = failure.outcome === 'blocked';
    if (outage.mistake === undefined) outage.pending++;
    else this.#say(outage, 1);
  }

  /** Once: an endpoint that has no logs service today hardly has one in a minute. */
  #sayMissing(reason: string): void {
    if (this.isMissing) return;
    this.isMissing = true;
    warn(
      'FORKTRACE_LOGS_NOT_TAKEN',
      `${this.name} accepts no log records (${reason}). They stay in the journal; at its size limit the oldest are dropped first. Spans are not affected. Set OTEL_LOGS_EXPORTER=none to turn logs off, or logs.url to send them elsewhere.`,
    );
  }

  #begin(failure: Failure): Outage {
    const outage: Outage = {
      since: performance.now(),
      attempts: 0,
      pending: 0,
      reason: failure.reason,
      mistake: undefined,
      slow: false,
      said: false,
    };
    this.#outage = outage;
    void likelyMistake(this.#target, failure).then((mistake) => {
      outage.mistake = mistake;
      if (outage.pending > 0 && this.#outage === outage) this.#say(outage, outage.pending);
      outage.pending = 0;
    });
    return outage;
  }

  #say(outage: Outage, attempts: number): void {
    const { reason, mistake, slow } = outage;
    const slowly = slow ? ' (sent again at growing intervals of up to a minute)' : '';
    const dir = this.#leftIn();
    // Whoever has turned the export off, or has named another endpoint, asks why this one is called.
    const left = dir && `Processes that have ended left these ${this.#what} in ${dir}; none that runs exports there`;
    const sentences = [`${reason}${slowly}`, mistake, left].filter(Boolean);
    if (this.#outages.add(attempts, sentences.join('. '))) outage.said = true;
  }

  /** Something has got through. */
  delivered(): void {
    this.isMissing = false;
    const outage = this.#outage;
    if (!outage) return;
    const now = performance.now();
    this.#outage = undefined;
    this.#ends = [...this.#ends.filter((end) => now - end < 60_000), now];
    this.#outages.forget(this.#ends.length < OUTAGES_PER_MINUTE);
    // One that was over before anybody was told is none.
    if (!outage.said) return;
    const seconds = Math.round((now - outage.since) / 1000);
    warn(
      'FORKTRACE_EXPORT_RECOVERED',
      `${this.name} accepts ${this.#what} again, after ${seconds} s and ${outage.attempts} failed exports. None were lost.`,
    );
  }

  refused(count: number, reason: string): void {
    this.#refusals.add(count, reason);
  }

  setAside(reason: string): void {
    this.#setAsides.add(1, reason);
  }

  warning(message: string): void {
    warn('FORKTRACE_EXPORT_WARNING', `${this.name} accepted the ${this.#what} with a message: ${message}`);
  }

  tooLarge(bytes: number, reason: string): void {
    if (this.#saidTooLarge) return;
    this.#saidTooLarge = true;
    warn(
      'FORKTRACE_EXPORT_WARNING',
      `${this.name} refuses a request of ${bytes} bytes (${reason}). Requests are smaller from now on, and a larger one is tried again at growing intervals. Option export.maxRequestBytes limits their size.`,
    );
  }

  /** Says what has not been said. */
  end(): void {
    const outage = this.#outage;
    if (outage && outage.pending > 0) this.#say(outage, outage.pending);
    this.#outage = undefined;
    this.#outages.end();
    this.#refusals.end();
    this.#setAsides.end();
  }
}
