/**
 * Carries out what the cluster's state machine decides: forks, messages, signals, one timer; and tells it
 * what happens.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResolvedConfig } from '../config/resolved.js';
import type { ChildExit } from '../config/types.js';
import { ForktraceError } from '../errors.js';
import type { Block } from '../forensics/block.js';
import { causeOfDeath, ranOutOfHeap } from '../forensics/cause-of-death.js';
import { oomKills } from '../forensics/cgroup-memory.js';
import { causeOfExit, type ExitCause } from '../forensics/exit-cause.js';
import { ownEnd } from '../forensics/own-end.js';
import { innermostFrame } from '../forensics/stack-frame.js';
import type { ExitRecord } from '../journal/vitals.js';
import { printable } from '../printable.js';
import { withinDeadline } from '../process/deadline.js';
import { describeExit, type ProcessExit } from '../process/process-exit.js';
import type { StandardStream } from '../process/terminal-variable.js';
import { HEARTBEAT_MS, type WorkerMessage } from '../process/worker-messages.js';
import type { KnownDeath, Recovered } from '../shipper/shipper-messages.js';
import type { BlockedWorker } from '../viewer/viewer-messages.js';
import { warn } from '../warn.js';
import { BlockWatch } from './block-watch.js';
import {
  type ClusterAction,
  type ClusterEvent,
  GROUP_SIGNAL_MS,
  newCluster,
  nextWake,
  stepCluster,
} from './cluster-state.js';
import { describeCrashLoop } from './crash-loop-report.js';
import { DeathRecord } from './death-record.js';
import { forkEnvironment } from './fork-environment.js';
import { describeStreams, setUpForks, waitsForDebugger } from './fork-settings.js';
import type { WorkerView } from './handle.js';
import type { CoordinatorHooks } from './hooks.js';
import type { Incarnation, IncarnationEvent } from './incarnation.js';
import type { LifecycleSpans } from './lifecycle-spans.js';
import type { OwnWord } from './own-word.js';
import { passedOn } from './pass-on.js';
import type { SupervisePolicy } from './policy.js';
import type { StepContext } from './slot.js';
import { WorkerProcess } from './worker-process.js';
import { lastWordsOf } from './worker-stderr.js';

/** A child process that outlives the worker may hold its standard streams open. */
const READ_WITHIN_MS = 100;

/** The coordinator itself did not run: what it did not hear then is no sign of a blocked worker. */
const OWN_PAUSE_MS = 250;

/** How long the report of a crash loop waits for what the journals of the dead say. */
const CAUSES_KNOWN_MS = 1500;

/** Somebody steps through a worker's start. */
const A_DAY_MS = 24 * 3600_000;

/** Without a heartbeat for so long, a worker is shown as blocked; the watchdog is more patient. */
const BLOCKED_AFTER_MS = 2.5 * HEARTBEAT_MS;

/** More workers at once than this only make each other late: starting one is work for a processor. */
const CONCURRENT_STARTS = Math.max(4, 2 * availableParallelism());

/** What the supervisor needs of the rest of the coordinator. */
export interface SupervisorParts {
  hooks: CoordinatorHooks;
  lifecycle: LifecycleSpans;
  /** Is told of all workers that are blocked, whenever that changes. */
  blocked(workers: BlockedWorker[]): void;
  /** Extra environment of every worker: where the viewer is, for one. */
  environment: () => NodeJS.ProcessEnv;
  /**
   * Tells the shipper that a process has ended; resolves with what it found in the journal, bounded in time.
   */
  recovered(pid: number, death: KnownDeath): Promise<Recovered>;
  /** What the process has said of its end; `forkedAtMs` since the epoch. */
  ownWord(pid: number, forkedAtMs: number): OwnWord;
}

/** The end of a process, with what is known of its cause. */
interface KnownExit {
  exit: ProcessExit;
  spawnError: Error | undefined;
  life: Incarnation | undefined;
  worker: WorkerProcess;
  /** What it was found doing, if its event loop was blocked. */
  block: Block | undefined;
}

interface Deferred<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** A boot that failed, with what the process would have exited with. */
export interface BootFailure {
  error: ForktraceError<'FORKTRACE_WORKER_START'>;
  exitCode: number;
}

export class Supervisor {
  #state;
  readonly #config: ResolvedConfig;
  readonly #parts: SupervisorParts;
  readonly #processes = new Map<string, WorkerProcess>();
  /** Of each slot, the last two: the one that served, and a successor that did not start. */
  readonly #exits = new Map<string, KnownExit>();
  readonly #deaths = new DeathRecord();
  readonly #events: ClusterEvent[] = [];
  #oomKills = oomKills();
  /** The workers' standard streams that come through a pipe. */
  readonly #reads: readonly StandardStream[];
  readonly #policy: SupervisePolicy;
  readonly #watch: BlockWatch;
  /** Those that the watchdog ends once they have been looked into. */
  readonly #looked = new WeakSet<WorkerProcess>();
  #dispatching = false;
  #timer: NodeJS.Timeout | undefined;
  #booted: Deferred<void> | undefined;
  #bootFailure: BootFailure | undefined;
  #reloads: Deferred<readonly number[]>[] = [];
  #nextReloads: Deferred<readonly number[]>[] = [];
  #scalings: Deferred<void>[] = [];
  #stopped: (() => void)[] = [];
  /** Exits whose `childExit` hook waits for the shipper's numbers, or runs. */
  readonly #exitReports = new Set<Promise<void>>();

  constructor(config: ResolvedConfig, parts: SupervisorParts) {
    this.#config = config;
    this.#parts = parts;
    this.#state = newCluster(config.workers, CONCURRENT_STARTS);
    this.#reads = setUpForks(config);
    this.#policy = waitsForDebugger() ? { ...config.supervise, readyTimeoutMs: A_DAY_MS } : config.supervise;
    this.#watch = new BlockWatch(
      () => this.#serving(),
      ({ slot, incarnation }, block) => parts.lifecycle.blockEnded(slot, incarnation, block),
      (workers) => parts.blocked(workers),
    );
    if (config.forensics.peek) this.#watch.start();
  }

  /**
   * Forks all workers; resolves when all are ready, rejects when one does not start and all are gone again.
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#booted = { resolve, reject };
      this.#dispatch({ type: 'start' });
    });
  }

  get bootFailure(): BootFailure | undefined {
    return this.#bootFailure;
  }

  get cluster() {
    return this.#state;
  }

  reload(): Promise<readonly number[]> {
    const { phase } = this.#state;
    if (phase === 'stopping' || phase === 'stopped')
      return Promise.reject(new ForktraceError('FORKTRACE_STOPPING', []));
    return new Promise((resolve, reject) => {
      this.#nextReloads.push({ resolve, reject });
      this.#dispatch({ type: 'reload' });
    });
  }

  scale(to: number): Promise<void> {
    const { phase, size } = this.#state;
    if (phase === 'stopping' || phase === 'stopped')
      return Promise.reject(new ForktraceError('FORKTRACE_STOPPING', []));
    this.#parts.hooks.notify('onScale', { from: size, to });
    return new Promise((resolve, reject) => {
      this.#scalings.push({ resolve, reject });
      this.#parts.lifecycle.scaleStarted(to);
      this.#dispatch({ type: 'scale', to });
    });
  }

  /**
   * Ends the process that serves in a slot, by SIGKILL; returns its pid.
   *
   * @throws ForktraceError with code FORKTRACE_NO_WORKER
   */
  kill(slot: number): number {
    const worker = this.#current(slot);
    worker.kill('SIGKILL');
    return worker.pid;
  }

  /**
   * Opens the inspector of the process that serves in a slot. Whoever asks closes it.
   *
   * @throws ForktraceError with code FORKTRACE_NO_WORKER or FORKTRACE_NO_INSPECTOR
   */
  async openInspector(slot: number): Promise<{ pid: number; url: string }> {
    const worker = this.#current(slot);
    return { pid: worker.pid, url: await worker.openInspector() };
  }

  #current(slot: number): WorkerProcess & { pid: number } {
    const { slots } = this.#state;
    const current = slots[slot]?.current;
    const worker = current === undefined ? undefined : this.#process({ slot, incarnation: current });
    if (worker?.pid === undefined) throw new ForktraceError('FORKTRACE_NO_WORKER', [slot, slots.length]);
    return worker as WorkerProcess & { pid: number };
  }

  /** Resolves when the last worker is gone and every exit has been reported. */
  async shutdown(): Promise<void> {
    if (this.#state.phase !== 'stopped') {
      await new Promise<void>((resolve) => {
        this.#stopped.push(resolve);
        this.#dispatch({ type: 'shutdown' });
      });
    }
    await Promise.all(this.#exitReports);
    await passedOn();
  }

  /** SIGKILL for all that is left. */
  force(): void {
    this.#dispatch({ type: 'force' });
  }

  /** One per process, and one per slot without a process. */
  workers(): WorkerView[] {
    const now = performance.now();
    return this.#state.slots.flatMap((slot): WorkerView[] => {
      const idle: WorkerView = {
        slot: slot.slot,
        incarnation: undefined,
        pid: undefined,
        state: slot.phase,
        uptimeMs: undefined,
        restarts: slot.restarts,
        restartsLastHour: this.#deaths.unplannedLastHour(slot.slot),
        lastExit: this.#deaths.last(slot.slot),
        address: undefined,
        debugged: false,
        requestsPerSecond: 0,
        failuresPerSecond: 0,
        stats: undefined,
      };
      if (slot.lives.length === 0) return [idle];
      return slot.lives.map((life) => {
        const process = this.#processes.get(key(slot.slot, life.incarnation));
        return {
          ...idle,
          incarnation: life.incarnation,
          pid: process?.pid,
          state: stateOf(life, now),
          uptimeMs: now - life.forkedAt,
          address: process?.address,
          debugged: life.debugged,
          requestsPerSecond: process?.requestsPerSecond ?? 0,
          failuresPerSecond: process?.failuresPerSecond ?? 0,
          stats: process?.stats,
        };
      });
    });
  }

  /** One event at a time: what an action brings about waits for its turn. */
  #dispatch(event: ClusterEvent): void {
    this.#events.push(event);
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        // One time for all of a step: what it says of a wait is what it has drawn, however busy the machine
        // is.
        const now = performance.now();
        const context: StepContext = { policy: this.#policy, now, random: Math.random };
        const { state, actions } = stepCluster(this.#state, next, context);
        this.#state = state;
        for (const action of actions) this.#act(action);
      }
    } finally {
      this.#dispatching = false;
    }
    this.#arm();
  }

  #tell(slot: number, incarnation: number, event: IncarnationEvent): void {
    this.#dispatch({ type: 'process', slot, incarnation, event });
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const at = nextWake(this.#state);
    if (at === undefined) return;
    this.#timer = setTimeout(
      () => {
        if (performance.now() - at > OWN_PAUSE_MS) this.#dispatch({ type: 'missed-time' });
        // After the poll phase: heartbeats that have arrived are read before a worker is judged by their
        // absence.
        setImmediate(() => this.#dispatch({ type: 'wake' }));
      },
      // Timers may fire a fraction of a millisecond early.
      Math.max(0, Math.ceil(at - performance.now()) + 1),
    );
  }

  #act(action: ClusterAction): void {
    const { hooks, lifecycle } = this.#parts;
    switch (action.type) {
      case 'fork':
        void this.#fork(action.slot, action.incarnation);
        return;
      case 'send-stop':
        this.#process(action)?.send({ forktrace: 'stop', reason: action.reason, deadlineMs: action.deadlineMs });
        return;
      case 'disconnect':
        this.#process(action)?.disconnect();
        return;
      case 'signal':
        this.#kill(action);
        return;
      case 'worker-ready': {
        const pid = this.#process(action)?.pid;
        lifecycle.workerReady(action.slot, action.incarnation);
        if (pid !== undefined) hooks.notify('onWorkerReady', { slot: action.slot, pid });
        return;
      }
      case 'worker-lost':
        this.#reportLoss(action);
        return;
      case 'booted':
        this.#booted?.resolve();
        this.#booted = undefined;
        lifecycle.clusterReady(this.#state.size);
        hooks.notify('onReady');
        return;
      case 'boot-failed':
        this.#bootFailure = this.#describeBootFailure(action.slot, action.incarnation);
        return;
      case 'breaker-opened':
        lifecycle.breakerChanged('open');
        void this.#reportCrashLoop(action.forMs);
        return;
      case 'breaker-half-open':
        lifecycle.breakerChanged('half-open');
        warn('FORKTRACE_CRASH_LOOP', `Trying one worker after a crash loop, in slot ${action.slot}.`);
        return;
      case 'breaker-closed':
        lifecycle.breakerChanged('closed');
        warn('FORKTRACE_CRASH_LOOP_OVER', 'The crash loop is over: workers are respawned as usual.');
        return;
      case 'recycle-failed':
        this.#reportFailedRecycling(action);
        return;
      case 'reload-started':
        this.#reloads = this.#nextReloads;
        this.#nextReloads = [];
        lifecycle.reloadStarted();
        hooks.notify('onReload');
        return;
      case 'reload-done':
        lifecycle.reloadEnded(action.slots, undefined);
        for (const { resolve } of this.#reloads.splice(0)) resolve(action.slots);
        return;
      case 'reload-aborted':
        this.#reloadAborted(action);
        return;
      case 'scaled':
        lifecycle.scaleEnded(undefined);
        for (const { resolve } of this.#scalings.splice(0)) resolve();
        return;
      case 'scale-failed': {
        const reason = action.slot < 0 ? 'the cluster is stopping' : this.#whyDied(action.slot, action.incarnation);
        const error = new ForktraceError('FORKTRACE_SCALE_FAILED', [action.from, action.to, reason]);
        lifecycle.scaleEnded(error.message);
        for (const { reject } of this.#scalings.splice(0)) reject(error);
        return;
      }
      case 'stopped':
        this.#finish();
        return;
    }
  }

  async #fork(slot: number, incarnation: number): Promise<void> {
    const { hooks, lifecycle } = this.#parts;
    const extra = await hooks.run('preFork', { slot, incarnation });
    const life = this.#life(slot, incarnation);
    // Told to stop before it was born.
    if (life?.phase !== 'starting') {
      this.#tell(slot, incarnation, { type: 'exit' });
      return;
    }
    const env = forkEnvironment(slot, incarnation, process.env, {
      ...this.#parts.environment(),
      ...describeStreams(this.#reads),
      ...(extra ?? undefined),
    });
    const streams = {
      reads: this.#reads,
      prefix: this.#config.supervise.prefix,
      records: (pid: number) => lifecycle.stderrRecords(slot, incarnation, pid),
    };
    const worker = new WorkerProcess({ slot, incarnation }, env, streams, {
      message: (message) => this.#hear(slot, incarnation, worker, message),
      disconnect: () => this.#tell(slot, incarnation, { type: 'disconnect' }),
      exit: (exit, spawnError) => this.#exited(slot, incarnation, worker, exit, spawnError),
    });
    this.#processes.set(key(slot, incarnation), worker);
    this.#tell(slot, incarnation, { type: 'forked' });
    lifecycle.workerForked(slot, incarnation, worker.pid);
    if (worker.pid !== undefined) hooks.notify('onWorkerStart', { slot, pid: worker.pid });
  }

  #hear(slot: number, incarnation: number, worker: WorkerProcess, message: WorkerMessage): void {
    switch (message.forktrace) {
      case 'ready':
      case 'failed':
      case 'stopping':
        this.#tell(slot, incarnation, { type: message.forktrace });
        return;
      case 'heartbeat':
        this.#tell(slot, incarnation, {
          type: 'heartbeat',
          stats: message.stats,
          debugged: worker.debugged,
        });
        this.#watch.heard(worker);
    }
  }

  #exited(slot: number, incarnation: number, worker: WorkerProcess, exit: ProcessExit, spawnError?: Error): void {
    const life = this.#life(slot, incarnation);
    const block = this.#watch.take(worker);
    this.#exits.set(key(slot, incarnation), { exit, spawnError, life, worker, block });
    this.#exits.delete(key(slot, incarnation - 2));
    this.#processes.delete(key(slot, incarnation));
    const recordExit = this.#parts.lifecycle.workerDied(slot, incarnation);
    this.#tell(slot, incarnation, { type: 'exit' });
    const report = this.#reportExit(slot, { exit, spawnError, life, worker, block }, recordExit);
    this.#exitReports.add(report);
    void report.finally(() => this.#exitReports.delete(report));
  }

  /**
   * Waits for what the shipper finds in the dead worker's journal, then records the exit and calls
   * `childExit`.
   */
  async #reportExit(
    slot: number,
    { worker, exit, life, block }: KnownExit,
    recordExit: ReturnType<LifecycleSpans['workerDied']>,
  ): Promise<void> {
    const { pid } = worker;
    if (pid === undefined) return;
    // At once: a shipper takes it away.
    const own = this.#parts.ownWord(pid, Date.now() - (performance.now() - worker.forkedAt));
    // A signal to the whole group may have reached the worker before this process.
    if (life?.reason === undefined) await sleep(GROUP_SIGNAL_MS);
    const planned = life?.reason !== undefined || this.#state.phase === 'stopping' || this.#state.phase === 'stopped';
    // What it has written last is passed on before this process may end.
    await withinDeadline(worker.allRead, READ_WITHIN_MS);
    const lastWords = planned ? undefined : lastWordsOf(worker.stderr, this.#config.forensics);
    const told = { ...exit, cause: this.#causeOf(exit, life, worker, planned) };
    const { cause } = causeOfDeath({ ...own, told, orphaned: false });
    const death = this.#deaths.add(slot, cause, planned, whereOf(ownEnd(own.record, cause) ?? block, own.record));
    const {
      record = own.record,
      vitals = own.vitals?.last,
      deathId,
      lastLogs,
      ...counts
    } = await this.#parts.recovered(pid, { ...told, block, lastWords });
    const childExit: ChildExit = { slot, pid, ...exit, planned, ...counts, cause: counts.cause ?? cause };
    death.cause = childExit.cause;
    const found = ownEnd(record, childExit.cause) ?? block;
    death.where = whereOf(found, record);
    const isTold = !planned && this.#config.forensics.lastWords;
    recordExit(childExit, {
      ...{ deathId, block: found, lastWords, record, vitals },
      lastLogs: isTold ? lastLogs : undefined,
    });
    await this.#parts.hooks.run('childExit', childExit);
  }

  /** What this process knows by itself. */
  #causeOf(exit: ProcessExit, life: Incarnation | undefined, worker: WorkerProcess, planned: boolean): ExitCause {
    const cause = exitCause(exit, life, worker, planned);
    if (cause === 'signal' && exit.signal === 'SIGKILL' && this.#kernelHasKilled()) return 'system_out_of_memory';
    if (cause === 'abort' && ranOutOfHeap(worker.stderr?.lastWords())) return 'heap_out_of_memory';
    return cause;
  }

  /** Whether the kernel has killed a process for want of memory since this was asked last. */
  #kernelHasKilled(): boolean {
    const before = this.#oomKills;
    this.#oomKills = oomKills();
    return this.#oomKills > before;
  }

  #reportLoss({ slot, incarnation, respawnInMs }: Extract<ClusterAction, { type: 'worker-lost' }>): void {
    const next = respawnInMs === undefined ? 'Its successor is starting' : `Next try in ${Math.round(respawnInMs)} ms`;
    const stack = this.#stackOf(slot, incarnation);
    warn(
      'FORKTRACE_WORKER_DIED',
      `Worker in slot ${slot} ${this.#whyDied(slot, incarnation).replace(/\.$/, '')}. ${next}.${stack}`,
    );
  }

  #reportFailedRecycling({ slot, incarnation }: Extract<ClusterAction, { type: 'recycle-failed' }>): void {
    const why = this.#whyDied(slot, incarnation).replace(/\.$/, '');
    const stack = this.#stackOf(slot, incarnation);
    warn('FORKTRACE_RECYCLE_FAILED', `Slot ${slot}: the new worker ${why}; the old one serves on.${stack}`);
  }

  /** Once more is known of the deaths that opened the breaker. */
  async #reportCrashLoop(forMs: number): Promise<void> {
    await withinDeadline(Promise.all(this.#exitReports), CAUSES_KNOWN_MS);
    const { breakerWindowMs } = this.#config.supervise;
    const dir = this.#config.pipeline === 'journal' ? this.#config.journal.dir : undefined;
    const about = describeCrashLoop(this.#deaths.unplannedWithin(breakerWindowMs), dir);
    const next = `none is respawned for ${Math.round(forMs)} ms, then one is tried`;
    warn('FORKTRACE_CRASH_LOOP', `Workers keep dying: ${next}.${about}`);
  }

  #reloadAborted({ slot, incarnation, slots }: Extract<ClusterAction, { type: 'reload-aborted' }>): void {
    const reason =
      incarnation === undefined
        ? 'the cluster is stopping'
        : `the new worker in slot ${slot} ${this.#whyDied(slot, incarnation)}`;
    const error = new ForktraceError('FORKTRACE_RELOAD_ABORTED', [slots.length, reason]);
    this.#parts.lifecycle.reloadEnded(slots, error.message);
    const stack = incarnation === undefined ? '' : this.#stackOf(slot, incarnation);
    warn('FORKTRACE_RELOAD_ABORTED', error.message + stack);
    for (const { reject } of this.#reloads.splice(0)) reject(error);
  }

  #whyDied(slot: number, incarnation: number): string {
    const { readyTimeoutMs, heartbeatTimeoutMs } = this.#config.supervise;
    const known = this.#exits.get(key(slot, incarnation));
    const { failure, stopping } = known?.worker ?? this.#process({ slot, incarnation }) ?? {};
    if (failure) return `failed: ${failure.message}`;
    const fault = (known?.life ?? this.#life(slot, incarnation))?.fault;
    if (fault === 'not_ready') return `was not ready within ${readyTimeoutMs} ms (option supervise.readyTimeoutMs)`;
    if (fault === 'event_loop_blocked') {
      return `was killed: its event loop was blocked for ${heartbeatTimeoutMs} ms (option supervise.heartbeatTimeoutMs)`;
    }
    if (!known) return stopping === 'signal' ? 'was told to stop by a signal from outside' : 'closed its channel';
    const { exit, spawnError } = known;
    if (spawnError) return `could not be forked: ${spawnError.message}`;
    return describeExit(exit);
  }

  /** Where the app's code failed, or was when its event loop was blocked, on lines of its own. */
  #stackOf(slot: number, incarnation: number): string {
    const known = this.#exits.get(key(slot, incarnation));
    const stack = known?.worker.failure?.stack ?? known?.block?.stack;
    return stack === undefined || stack === '' ? '' : `\n${stack}`;
  }

  #describeBootFailure(slot: number, incarnation: number): BootFailure {
    const known = this.#exits.get(key(slot, incarnation));
    const failure = known?.worker.failure;
    const cause = failure && Object.assign(new Error(failure.message), { stack: failure.stack });
    const code = known?.exit.code;
    return {
      error: new ForktraceError('FORKTRACE_WORKER_START', [slot, this.#whyDied(slot, incarnation)], { cause }),
      // What died of a signal, or ended well without ever being ready, is a plain failure.
      exitCode: code === null || code === undefined || code === 0 ? 1 : code,
    };
  }

  /** What the watchdog ends is looked into first, once. */
  #kill(action: Extract<ClusterAction, { type: 'signal' }>): void {
    const worker = this.#process(action);
    if (worker === undefined) return;
    const isWatchdog = action.signal === 'SIGKILL' && this.#life(action.slot, action.incarnation)?.fault !== undefined;
    if (isWatchdog && this.#config.forensics.peek && !this.#looked.has(worker)) {
      this.#looked.add(worker);
      void this.#watch.beforeKill(worker).then(() => worker.kill(action.signal));
    } else worker.kill(action.signal);
  }

  *#serving(): Iterable<WorkerProcess> {
    for (const { slot, lives } of this.#state.slots) {
      for (const { incarnation, phase } of lives) {
        const worker = phase === 'ready' ? this.#processes.get(key(slot, incarnation)) : undefined;
        if (worker !== undefined) yield worker;
      }
    }
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#watch.stop();
    const stopping = new ForktraceError('FORKTRACE_STOPPING', []);
    for (const { reject } of [...this.#nextReloads.splice(0), ...this.#scalings.splice(0)]) reject(stopping);
    this.#booted?.reject(this.#bootFailure?.error ?? stopping);
    this.#booted = undefined;
    for (const resolve of this.#stopped.splice(0)) resolve();
  }

  #life(slot: number, incarnation: number): Incarnation | undefined {
    return this.#state.slots[slot]?.lives.find((life) => life.incarnation === incarnation);
  }

  #process({ slot, incarnation }: { slot: number; incarnation: number }): WorkerProcess | undefined {
    return this.#processes.get(key(slot, incarnation));
  }
}

function stateOf({ phase, seenAt, debugged }: Incarnation, now: number): WorkerView['state'] {
  if (phase === 'ready') return now - seenAt > BLOCKED_AFTER_MS && !debugged ? 'blocked' : 'ready';
  return phase === 'starting' ? 'starting' : 'draining';
}

/**
 * As sure as the coordinator can be: it has ended the process itself, or it knows the exit code and the
 * signal.
 */
function exitCause(
  exit: ProcessExit,
  life: Incarnation | undefined,
  { stopping }: WorkerProcess,
  planned: boolean,
): ExitCause {
  if (life?.fault) return life.fault;
  switch (life?.reason) {
    case undefined:
      if (planned) return 'stop';
      return stopping === 'signal' ? 'signal' : causeOfExit(exit);
    case 'reload':
    case 'scale':
      return life.reason;
    case 'recycle':
      return life.wear ?? 'recycle_requests';
    default:
      return 'stop';
  }
}

/** The exception and its line, or the line that blocked the event loop. */
function whereOf(block: Block | undefined, record: ExitRecord | undefined): string | undefined {
  const frame = innermostFrame(block?.stack ?? '');
  const at = frame && `at ${frame.functionName ?? 'the top level'}, ${frame.filePath}:${frame.line}`;
  const what =
    record?.message === undefined ? undefined : printable(`${record.exceptionType ?? 'Error'}: ${record.message}`);
  return [what, at].filter((part) => part !== undefined).join(' ') || undefined;
}

function key(slot: number, incarnation: number): string {
  return `${slot}.${incarnation}`;
}
