import cluster, { type Worker } from 'node:cluster';
import { ForktraceError } from '../errors.js';
import { blockOf } from '../forensics/block.js';
import { processState } from '../forensics/process-state.js';
import type { StderrRecords } from '../logs/stderr-records.js';
import { LinePrefix } from '../process/line-prefix.js';
import type { ProcessExit } from '../process/process-exit.js';
import type { StopReason } from '../process/stop-reason.js';
import type { StandardStream } from '../process/terminal-variable.js';
import {
  type CoordinatorMessage,
  parseWorkerMessage,
  type WorkerMessage,
  type WorkerStats,
} from '../process/worker-messages.js';
import { passOnAll } from './pass-on.js';
import { redeliverConnections } from './redeliver-connections.js';
import { WorkerStderr } from './worker-stderr.js';

/** Milliseconds over which a rate is computed, at least. */
const RATE_MS = 900;

/** Events of one worker, for the supervisor. */
export interface WorkerProcessEvents {
  message(message: WorkerMessage): void;
  disconnect(): void;
  /** Called exactly once. With an error when the process could not be forked. */
  exit(exit: ProcessExit, spawnError?: Error): void;
}

const INSPECTOR_OPENS_WITHIN_MS = 2000;

/** What happens to a worker's standard streams. */
export interface WorkerStreams {
  /** Streams that the coordinator reads through a pipe. */
  reads: readonly StandardStream[];
  /** Whether the slot is put before each line. */
  prefix: boolean;
  /** Keeps the part of standard error that is no log record yet. */
  records: (pid: number) => StderrRecords | undefined;
}

/** One forked worker: its process, and its last messages. */
export class WorkerProcess {
  readonly slot: number;
  readonly incarnation: number;
  readonly pid: number | undefined;
  readonly forkedAt = performance.now();
  /** Undefined when the app has set up node:cluster to use the stream differently. */
  readonly stderr: WorkerStderr | undefined;
  /** Resolves when all output that comes through this process has been read. */
  allRead: Promise<unknown> = Promise.resolve();
  /** When a message last came from it, by performance.now(). */
  heardAt = performance.now();
  /** A debugger is attached: missing heartbeats may mean a breakpoint. */
  debugged = false;
  /** SIGUSR1 opens its inspector, and does nothing else. */
  peekable = false;
  address: string | undefined;
  stats: WorkerStats | undefined;
  /** Measured over about the last second. */
  requestsPerSecond = 0;
  failuresPerSecond = 0;
  /** The reason why it cannot start, as it reported it. */
  failure: { message: string; stack: string | undefined } | undefined;
  /** Why it stops, once it has reported that. */
  stopping: StopReason | undefined;
  #countedBefore: (WorkerStats & { at: number }) | undefined;
  /** Undefined when the system refused to fork. */
  #worker: Worker | undefined;

  constructor(
    { slot, incarnation }: { slot: number; incarnation: number },
    env: NodeJS.ProcessEnv,
    { reads, prefix, records }: WorkerStreams,
    events: WorkerProcessEvents,
  ) {
    this.slot = slot;
    this.incarnation = incarnation;
    let worker: Worker;
    try {
      // cluster.fork passes an undefined value to spawn, which leaves the variable out.
      worker = cluster.fork(env);
    } catch (error) {
      // The fork failed, for example for want of memory. Without a process, cluster.fork throws instead of
      // emitting `error`.
      process.nextTick(() => events.exit({ code: null, signal: null }, error as Error));
      return;
    }
    this.#worker = worker;
    this.pid = worker.process.pid;
    const { stdout, stderr } = worker.process;
    const prefixOf = ({ isTTY }: NodeJS.WriteStream) => (prefix ? new LinePrefix(slot, isTTY) : undefined);
    if (reads.includes('stderr') && stderr) {
      const kept = this.pid === undefined ? undefined : records(this.pid);
      this.stderr = new WorkerStderr(stderr, { prefix: prefixOf(process.stderr), records: kept });
    }
    const output = reads.includes('stdout') && stdout ? passOnAll(stdout, prefixOf(process.stdout)) : undefined;
    this.allRead = Promise.all([output, this.stderr?.ended]);
    redeliverConnections(worker);
    let exited = false;
    const exit = (result: ProcessExit, spawnError?: Error) => {
      if (exited) return;
      exited = true;
      events.exit(result, spawnError);
    };
    worker.on('message', (message: unknown) => {
      const known = parseWorkerMessage(message);
      if (known) this.#hear(known, events);
    });
    worker.on('disconnect', () => events.disconnect());
    worker.on('exit', (code, signal) => exit({ code, signal: signal as NodeJS.Signals | null }));
    worker.on('error', (error) => {
      // A process that could not be spawned emits no `exit`.
      if (worker.process.pid === undefined) exit({ code: null, signal: null }, error);
    });
  }

  send(message: CoordinatorMessage): void {
    // The callback takes the error. The `exit` event reports a worker that is gone.
    if (this.#worker?.isConnected()) this.#worker.send(message, () => {});
  }

  /** Closes the channel: even a worker that does not read its messages may notice that. */
  disconnect(): void {
    if (this.#worker?.isConnected()) this.#worker.process.disconnect();
  }

  kill(signal: NodeJS.Signals): void {
    this.#worker?.process.kill(signal);
  }

  /**
   * Opens its inspector for a user who has asked for it.
   *
   * @returns the address
   * @throws ForktraceError with code FORKTRACE_NO_INSPECTOR
   */
  async openInspector(): Promise<string> {
    const { pid, stderr } = this;
    const refused = (reason: string) => new ForktraceError('FORKTRACE_NO_INSPECTOR', [pid ?? '–', reason]);
    if (stderr === undefined || !this.peekable) {
      throw refused('the coordinator may not, or it has not started yet (docs/forensics.md, Limits)');
    }
    const { inspectorAddress } = await import('../forensics/peek.js');
    const target = { lines: stderr.lines, signal: () => this.kill('SIGUSR1') };
    return inspectorAddress(target, AbortSignal.timeout(INSPECTOR_OPENS_WITHIN_MS)).catch(() => {
      throw refused(`JavaScript does not answer; it ${blockOf(undefined, processState(pid!)).state}`);
    });
  }

  #hear(message: WorkerMessage, events: WorkerProcessEvents): void {
    this.heardAt = performance.now();
    if (message.forktrace === 'heartbeat') {
      const { stats, inspector, peekable } = message;
      this.#count(stats);
      this.debugged = inspector != null && this.stderr?.lines.isOurs(inspector) !== true;
      this.peekable = peekable && !this.debugged;
    }
    if (message.forktrace === 'ready') this.address = message.address;
    else if (message.forktrace === 'stopping') this.stopping = message.reason;
    else if (message.forktrace === 'failed') this.failure = { message: message.message, stack: message.stack };
    events.message(message);
  }

  #count(stats: WorkerStats): void {
    const now = performance.now();
    this.stats = stats;
    this.#countedBefore ??= { ...stats, at: now };
    const { at, requests, failed } = this.#countedBefore;
    if (now - at < RATE_MS) return;
    this.requestsPerSecond = ((stats.requests - requests) * 1000) / (now - at);
    this.failuresPerSecond = ((stats.failed - failed) * 1000) / (now - at);
    this.#countedBefore = { ...stats, at: now };
  }
}
