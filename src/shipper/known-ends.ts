/**
 * How processes and threads ended, as others have told it, or they themselves.
 *
 * @module
 */
import type { WriterIdentity } from '../journal/format.js';
import { isFromHere } from '../journal/identity.js';
import { monotonicAt } from '../journal/monotonic.js';
import { type ExitRecord, readVitals } from '../journal/vitals.js';
import { exitInPm2Log } from '../pm2/daemon-log.js';
import { readToldExit, removeToldExit } from '../process/told-exit.js';
import { CLUSTER_MANAGER, CLUSTER_WORKER_ID, THREAD_ID } from '../wire/conventions.js';
import type { Death } from './interrupted-span.js';
import { attributeOf } from './resource-attribute.js';
import { isToldDeath, type KnownDeath, NOTHING_RECOVERED, type Recovered } from './shipper-messages.js';
import type { TailedWriter } from './tailed-writer.js';

/** Of so many processes it is known how they ended, for a thread that is found dead after its process. */
const MOST_ENDED = 64;
/** How long the exit of a process is remembered: by then its journal has been seen, if it has one. */
const EXIT_MEMORY_MS = 60_000;
/** A lease that was renewed just before the end, by a clock that is set now and then. */
const CLOCK_MS = 2000;

/** As its parent leaves it in the journal. */
type ToldDeath = KnownDeath & { atMs: number };

/** The end of a process, as its parent knows it. */
interface KnownExit extends Death {
  lastWords?: string | undefined;
  answered: boolean;
}

export class KnownEnds {
  readonly #dir: string;
  readonly #writers: () => Iterable<TailedWriter>;
  /** Heard over a channel. */
  readonly #exits = new Map<number, KnownExit>();
  /** What was found in the journal of a process whose end nobody had told of by then. */
  readonly #found = new Map<number, Recovered & { foundMs: number }>();
  /** The latest first. */
  readonly #ended: { identity: WriterIdentity; record: ExitRecord; foundMs: number }[] = [];

  /** @param writers all of the directory */
  constructor(dir: string, writers: () => Iterable<TailedWriter>) {
    this.#dir = dir;
    this.#writers = writers;
  }

  /** The parent of the process says that it has ended, over its channel. */
  hear(pid: number, death: KnownDeath): void {
    this.#exits.set(pid, { atMs: Date.now(), monotonicMs: monotonicAt(performance.now()), ...death, answered: false });
  }

  /**
   * Ends that were heard of, have not been answered, and whose journal is finished, with what was found in it
   * before; zeros where there was none. They are forgotten later.
   */
  takeUnanswered(): ({ pid: number } & Recovered)[] {
    const taken: ({ pid: number } & Recovered)[] = [];
    const now = Date.now();
    for (const [pid, exit] of this.#exits) {
      if (!exit.answered && !this.#hasLiveWriter(pid)) {
        exit.answered = true;
        const { foundMs: _, ...found } = { foundMs: 0, ...(this.#found.get(pid) ?? NOTHING_RECOVERED) };
        this.#found.delete(pid);
        taken.push({ pid, ...found });
      }
      if (now - exit.atMs > EXIT_MEMORY_MS) this.#exits.delete(pid);
    }
    for (const [pid, { foundMs }] of this.#found) if (now - foundMs > EXIT_MEMORY_MS) this.#found.delete(pid);
    return taken;
  }

  #hasLiveWriter(pid: number): boolean {
    for (const { identity, finished } of this.#writers())
      if (!finished && identity.pid === pid && isFromHere(identity)) return true;
    return false;
  }

  /** What the writer left has been recovered: what is known of its end is needed by its threads at most. */
  recovered(writer: TailedWriter, found: Recovered): void {
    const { record } = found;
    const { pid } = writer.identity;
    const heard = this.#heardOf(writer.identity);
    if (heard) heard.answered = true;
    // Its coordinator was busy for longer than the shipper waits.
    else if (isFromHere(writer.identity) && isOfCoordinator(writer) && !isThread(writer))
      this.#found.set(pid, { ...found, foundMs: Date.now() });
    this.#keepForThreads(writer, record);
    this.#removeTold(writer);
  }

  /**
   * What the parent of a dead writer has told of its end: over a channel, in the journal, or in the log of
   * pm2.
   */
  exitOf(writer: TailedWriter): Omit<KnownExit, 'answered'> | undefined {
    const { identity, resource, leaseMs } = writer;
    const { id, slot } = identity;
    const ofThread = this.#toldOfThread(writer);
    if (ofThread !== undefined) {
      // `terminate()` gives that code, and lets the thread write nothing.
      const isTerminated = ofThread.code === 1 && this.recordOf(writer) === undefined;
      return isTerminated ? { cause: 'stop', ...ofThread } : ofThread;
    }
    // A thread that has said how it ends: what is told of the process came later.
    if (isThread({ identity }) && readVitals(this.#dir, id)?.exit !== undefined) return undefined;
    const heard = this.#heardOf(identity);
    if (heard !== undefined) return heard;
    const told = toldSince(leaseMs, readToldExit(this.#dir, identity));
    if (told !== undefined) return told;
    if (slot === undefined || attributeOf(resource, CLUSTER_MANAGER) !== 'pm2') return undefined;
    // It says SIGINT also of a process that has ended by itself.
    if (readVitals(this.#dir, id)?.exit !== undefined) return undefined;
    const logged = exitInPm2Log(Number(attributeOf(resource, CLUSTER_WORKER_ID) ?? Number.NaN), leaseMs);
    // The log is precise to the second.
    return logged && { ...logged, ...writer.aliveUntil() };
  }

  /** The parent at the other end of the channel is where this process is. */
  #heardOf(identity: WriterIdentity): KnownExit | undefined {
    return isFromHere(identity) ? this.#exits.get(identity.pid) : undefined;
  }

  /** What the process of a thread has told of the thread's end; one that the process took along has none. */
  #toldOfThread({ identity, resource, leaseMs }: TailedWriter): ToldDeath | undefined {
    const id = isThread({ identity }) ? threadIdOf(resource) : undefined;
    return id === undefined ? undefined : toldSince(leaseMs, readToldExit(this.#dir, identity, id));
  }

  /** What it has written of its end; a thread that the process took along, what the process has. */
  recordOf(writer: TailedWriter): ExitRecord | undefined {
    const { identity } = writer;
    const record = readVitals(this.#dir, identity.id)?.exit;
    if (record !== undefined || !isThread({ identity }) || this.#toldOfThread(writer)) return record;
    const main = this.#othersOfProcess(identity).find((other) => !isThread(other));
    const ofMain = main && readVitals(this.#dir, main.identity.id)?.exit;
    // One that has lived later is of another process with that pid.
    const isOfProcess = (one: { identity: WriterIdentity; foundMs: number }) =>
      isSameProcess(one.identity, identity) && writer.leaseMs <= one.foundMs;
    return ofMain ?? this.#ended.find(isOfProcess)?.record;
  }

  #keepForThreads({ identity }: TailedWriter, record: ExitRecord | undefined): void {
    if (record === undefined || isThread({ identity })) return;
    this.#ended.unshift({ identity, record, foundMs: Date.now() });
    this.#ended.splice(MOST_ENDED);
  }

  #othersOfProcess(own: WriterIdentity): TailedWriter[] {
    return [...this.#writers()].filter(({ identity }) => identity.id !== own.id && isSameProcess(identity, own));
  }

  /** What was told of a process is for all that wrote in it. */
  #removeTold({ identity, resource }: TailedWriter): void {
    const dir = this.#dir;
    if (isThread({ identity })) removeToldExit(dir, identity, threadIdOf(resource) ?? 0);
    if (!this.#othersOfProcess(identity).some(({ isLive }) => isLive)) removeToldExit(dir, identity);
  }
}

const isSameProcess = (a: WriterIdentity, b: WriterIdentity) =>
  a.pid === b.pid && a.pidNamespace === b.pidNamespace && a.bootId === b.bootId;

/** A worker thread of a process; where there is no /proc nobody knows. */
export const isThread = ({ identity: { thread, pid } }: Pick<TailedWriter, 'identity'>) =>
  thread !== 0 && thread !== pid;

/**
 * A worker of a coordinator, which would have said how it ended; one of the app's own cluster has no slot.
 */
export function isOfCoordinator({ identity, resource }: TailedWriter): boolean {
  return identity.slot !== undefined && attributeOf(resource, CLUSTER_MANAGER) === 'cluster';
}

/** As Node.js counts them. */
function threadIdOf(resource: Uint8Array): number | undefined {
  const id = attributeOf(resource, THREAD_ID);
  return id === undefined ? undefined : Number(id);
}

/** undefined: what has been told is of another one that had that pid before. */
function toldSince(leaseMs: number, told: unknown): ToldDeath | undefined {
  return isToldDeath(told) && (told as ToldDeath).atMs >= leaseMs - CLOCK_MS ? (told as ToldDeath) : undefined;
}
