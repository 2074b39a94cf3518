/**
 * Recovers what a dead writer has left: what ended it is found out, what it left in flight becomes
 * interrupted spans, and what else is known of its death is kept.
 *
 * @module
 */
import { causeOfDeath } from '../forensics/cause-of-death.js';
import type { LogInBrief } from '../forensics/in-brief.js';
import { type RedactLastWords, redacted } from '../forensics/last-words.js';
import { ownEnd } from '../forensics/own-end.js';
import { isOrdinary, postMortemId } from '../forensics/post-mortem.js';
import { endOfStderrFile } from '../forensics/stderr-file.js';
import { vitalsOf } from '../forensics/vitals-table.js';
import { isFromHere } from '../journal/identity.js';
import { removeLeftoversOf } from '../journal/journal-directory.js';
import { readVitals } from '../journal/vitals.js';
import { everythingSaid } from './destination.js';
import type { Death } from './interrupted-span.js';
import { isOfCoordinator, type KnownEnds } from './known-ends.js';
import { lastLogsOf } from './last-logs.js';
import { RECOVERY_SEQUENCE, recoverInFlight } from './recover-in-flight.js';
import type { ShipperCounts } from './shipper-counts.js';
import type { Recovered } from './shipper-messages.js';
import type { TailedWriter } from './tailed-writer.js';
import { keepPostMortemOf } from './writer-post-mortem.js';

export interface WriterRecoveryOptions {
  /** The service's journal directory. */
  dir: string;
  /** Called with last words that a process manager's file has, as nobody else's. */
  redactLastWords?: RedactLastWords | undefined;
}

export class WriterRecovery {
  readonly #options: WriterRecoveryOptions;
  readonly #ends: KnownEnds;
  readonly #counts: ShipperCounts;

  constructor(options: WriterRecoveryOptions, ends: KnownEnds, counts: ShipperCounts) {
    this.#options = options;
    this.#ends = ends;
    this.#counts = counts;
  }

  /** @returns what was found; undefined where it has to be tried again, as there is no room for it */
  recover(writer: TailedWriter): Recovered | undefined {
    const { dir } = this.#options;
    const known = this.#ends.exitOf(writer);
    const { atMs, monotonicMs } = known ?? writer.aliveUntil();
    // Before what the writer left is removed.
    const page = readVitals(dir, writer.identity.id);
    const record = this.#ends.recordOf(writer);
    const vitals = page && vitalsOf(page.numbers);
    const orphaned = known === undefined && isOfCoordinator(writer);
    const written = this.#lastWordsOf(writer);
    const cause = causeOfDeath({ told: known, record, vitals, lastWords: written, orphaned });
    const lastWords = isOrdinary(cause, 0) ? undefined : this.#redacted(writer, written);
    const id = postMortemId(writer.identity.id);
    const block = ownEnd(record, cause.cause) ?? known?.block;
    const death: Death = { id, atMs, monotonicMs, ...cause, record, block, lastWords };
    let lastLogs: LogInBrief[] = [];
    let spansRecovered = 0;
    let requestsInterrupted = 0;
    try {
      lastLogs = lastLogsOfWriter(writer);
      for (const reader of writer.readers()) spansRecovered += reader.countUnshipped();
      const committed = endJournal(writer);
      requestsInterrupted = recoverInFlight({
        tables: writer.tables,
        committedOf: (sequence) => committed.get(sequence),
        recovered: committed.has(RECOVERY_SEQUENCE),
        death,
        described: writer,
        report: (path, reason) => this.#counts.malformed(1, `${path}: ${reason}`),
        found: (entries, roles) =>
          keepPostMortemOf(dir, writer, death, {
            vitals,
            entries,
            roles,
            lastWords: known?.lastWords ?? lastWords,
            lastLogs,
          }),
      });
    } catch (error) {
      // No room for the segment of interrupted spans: shipping makes some. Or a disk that cannot be read.
      writer.unrecovered = error as NodeJS.ErrnoException;
      const { message } = error as Error;
      this.#counts.malformed(1, `interrupted spans of process ${writer.identity.pid} have to wait: ${message}`);
      return undefined;
    }
    writer.finished = true;
    this.#counts.traces.recovered += spansRecovered;
    this.#counts.traces.interrupted += requestsInterrupted;
    const deathId = isOrdinary(cause, requestsInterrupted) ? undefined : id;
    const found = {
      ...{ spansRecovered, requestsInterrupted, cause: cause.cause, deathId, record, vitals: vitals?.last },
      lastLogs: deathId === undefined ? undefined : lastLogs,
    };
    this.#ends.recovered(writer, found);
    removeLeftoversOf(dir, writer.identity.id);
    return found;
  }

  /** Of a process that has a file for them; it may have been followed by another that writes to the same. */
  #lastWordsOf(writer: TailedWriter): string | undefined {
    const { dir } = this.#options;
    const stderr = writer.saidIn(dir)?.stderr;
    if (stderr === undefined || !isFromHere(writer.identity)) return undefined;
    const others = everythingSaid(dir).flatMap((said) => said.stderr ?? []);
    return endOfStderrFile(stderr, others);
  }

  /** Where they need a function that is not here, nothing. */
  #redacted(writer: TailedWriter, lastWords: string | undefined): string | undefined {
    const { dir, redactLastWords } = this.#options;
    if (lastWords === undefined || (writer.saidIn(dir)?.stderr?.needsRedaction && !redactLastWords)) return undefined;
    return redacted(lastWords, redactLastWords);
  }
}

/**
 * One that lives after all goes on elsewhere: what is there now is all of it.
 * @returns committed length by sequence, of its segments of spans
 */
function endJournal(writer: TailedWriter): Map<number, number> {
  const committed = new Map<number, number>();
  for (const { reader } of writer.logs.values()) reader.endWriter();
  for (const reader of writer.readers()) {
    reader.endWriter();
    committed.set(reader.header.sequence, reader.state().committed);
  }
  for (const segment of writer.allSegments()) segment.refresh(performance.now());
  return committed;
}

function lastLogsOfWriter({ logs, lastLogs }: TailedWriter): LogInBrief[] {
  const inOrder = [...logs.values()].sort((a, b) => a.file.sequence - b.file.sequence);
  return inOrder.reduce((before, { reader }) => lastLogsOf(reader, before), lastLogs);
}
