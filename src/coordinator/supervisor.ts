/**
 * Carries out what the cluster's state machine decides: forks, messages, signals, one timer. Tells the
 * machine what happens to the workers.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import type { ResolvedConfig } from '../config/resolved.js';
import { ForktraceError } from '../errors.js';
import type { ProcessExit } from '../process/process-exit.js';
import type { StandardStream } from '../process/terminal-variable.js';
import type { WorkerMessage } from '../process/worker-messages.js';
import type { BlockedWorker } from '../viewer/viewer-messages.js';
import { warn } from '../warn.js';
import { BlockWatch } from './block-watch.js';
import { ClusterFailures } from './cluster-failures.js';
import { type ClusterAction, type ClusterEvent, newCluster } from './cluster-state.js';
import { ClusterWaits } from './cluster-waits.js';
import { ExitReports, type ExitReportsParts } from './exit-reports.js';
import { forkEnvironment } from './fork-environment.js';
import { describeStreams, setUpForks, waitsForDebugger } from './fork-settings.js';
import type { WorkerView } from './handle.js';
import { type Incarnation, type IncarnationEvent, incarnationKey } from './incarnation.js';
import type { LifecycleSpans } from './lifecycle-spans.js';
import { passedOn } from './pass-on.js';
import type { SupervisePolicy } from './policy.js';
import { nextWake } from './respawns.js';
import type { StepContext } from './slot.js';
import { stepCluster } from './step-cluster.js';
import { type BootFailure, WorkerExits } from './worker-exits.js';
import { WorkerProcess } from './worker-process.js';
import { workerViews } from './worker-views.js';

/**
 * When the timer fires so late, in milliseconds, the coordinator itself did not run: heartbeats that it has
 * not heard are no sign of a blocked worker.
 */
const OWN_PAUSE_MS = 250;

/** Milliseconds that a worker may take to be ready while somebody steps through its start with a debugger. */
const A_DAY_MS = 24 * 3600_000;

/** More workers that start at once only make each other late, because a start is work for a processor. */
const CONCURRENT_STARTS = Math.max(4, 2 * availableParallelism());

/** What the supervisor needs of the rest of the coordinator. */
export interface SupervisorParts extends ExitReportsParts {
  lifecycle: LifecycleSpans;
  /** Is told all workers that are blocked, whenever that changes. */
  blocked(workers: BlockedWorker[]): void;
  /** Extra environment variables of every worker: for example where the viewer is. */
  environment: () => NodeJS.ProcessEnv;
}

export class Supervisor {
  #state;
  readonly #config: ResolvedConfig;
  readonly #parts: SupervisorParts;
  readonly #processes = new Map<string, WorkerProcess>();
  readonly #exits: WorkerExits;
  readonly #exitReports: ExitReports;
  readonly #failures: ClusterFailures;
  readonly #waits = new ClusterWaits();
  readonly #events: ClusterEvent[] = [];
  /** The workers' standard streams that the coordinator reads through a pipe. */
  readonly #reads: readonly StandardStream[];
  readonly #policy: SupervisePolicy;
  readonly #watch: BlockWatch;
  /** Workers that the watchdog kills and that have been peeked into, or are being. */
  readonly #peeked = new WeakSet<WorkerProcess>();
  #dispatching = false;
  #timer: NodeJS.Timeout | undefined;
  #bootFailure: BootFailure | undefined;

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
    this.#exits = new WorkerExits(config.supervise, (slot, incarnation) => ({
      life: this.#life(slot, incarnation),
      worker: this.#process({ slot, incarnation }),
    }));
    this.#exitReports = new ExitReports(config.forensics, parts, () => this.#isStopping);
    this.#failures = new ClusterFailures(config, this.#exits, this.#exitReports);
  }

  /** Forks all workers. Resolves when all are ready; rejects when one does not start, once all are gone. */
  start(): Promise<void> {
    const booted = this.#waits.forBoot();
    this.#dispatch({ type: 'start' });
    return booted;
  }

  get bootFailure(): BootFailure | undefined {
    return this.#bootFailure;
  }

  get #isStopping(): boolean {
    return this.#state.phase === 'stopping' || this.#state.phase === 'stopped';
  }

  get cluster() {
    return this.#state;
  }

  reload(): Promise<readonly number[]> {
    if (this.#isStopping) return Promise.reject(new ForktraceError('FORKTRACE_STOPPING', []));
    const reloaded = this.#waits.forReload();
    this.#dispatch({ type: 'reload' });
    return reloaded;
  }

  scale(to: number): Promise<void> {
    if (this.#isStopping) return Promise.reject(new ForktraceError('FORKTRACE_STOPPING', []));
    this.#parts.hooks.notify('onScale', { from: this.#state.size, to });
    const scaled = this.#waits.forScaling();
    this.#parts.lifecycle.scaleStarted(to);
    this.#dispatch({ type: 'scale', to });
    return scaled;
  }

  /**
   * Kills the process that serves in a slot by SIGKILL, and returns its pid.
   *
   * @throws ForktraceError with code FORKTRACE_NO_WORKER
   */
  kill(slot: number): number {
    const worker = this.#current(slot);
    worker.kill('SIGKILL');
    return worker.pid;
  }

  /**
   * Opens the inspector of the process that serves in a slot. The caller closes it.
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
      const stopped = this.#waits.forEnd();
      this.#dispatch({ type: 'shutdown' });
      await stopped;
    }
    await this.#exitReports.settled();
    await passedOn();
  }

  /** Kills all processes that are left by SIGKILL. */
  force(): void {
    this.#dispatch({ type: 'force' });
  }

  /** One view for each process, and one for each slot without a process. */
  workers(): WorkerView[] {
    return workerViews(this.#state.slots, this.#exitReports.deaths, (life) => this.#process(life));
  }

  /** Takes one event at a time: an event that an action brings about waits for its turn. */
  #dispatch(event: ClusterEvent): void {
    this.#events.push(event);
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        // One time for all of a step, so that the wait that it announces is the wait that it sets, however
        // busy the machine is.
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
        // After the poll phase, which reads heartbeats that have arrived: only then does their absence say
        // that a worker is blocked.
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
        this.#failures.workerLost(action);
        return;
      case 'booted':
        this.#waits.booted();
        lifecycle.clusterReady(this.#state.size);
        hooks.notify('onReady');
        return;
      case 'boot-failed':
        this.#bootFailure = this.#exits.bootFailure(action.slot, action.incarnation);
        return;
      case 'breaker-opened':
        lifecycle.breakerChanged('open');
        void this.#failures.crashLoop(action.forMs);
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
        this.#failures.recyclingFailed(action);
        return;
      case 'reload-started':
        this.#waits.reloadStarted();
        lifecycle.reloadStarted();
        hooks.notify('onReload');
        return;
      case 'reload-done':
        lifecycle.reloadEnded(action.slots, undefined);
        this.#waits.reloadDone(action.slots);
        return;
      case 'reload-aborted': {
        const error = this.#failures.reloadAborted(action);
        lifecycle.reloadEnded(action.slots, error.message);
        this.#waits.reloadFailed(error);
        return;
      }
      case 'scaled':
        lifecycle.scaleEnded(undefined);
        this.#waits.scaled();
        return;
      case 'scale-failed': {
        const error = this.#failures.scalingFailed(action);
        lifecycle.scaleEnded(error.message);
        this.#waits.scalingFailed(error);
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
    // The worker was told to stop before it was forked.
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
    this.#processes.set(incarnationKey(slot, incarnation), worker);
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
    const ended = { exit, spawnError, life, worker, block };
    this.#exits.add(slot, incarnation, ended);
    this.#processes.delete(incarnationKey(slot, incarnation));
    const recordExit = this.#parts.lifecycle.workerDied(slot, incarnation);
    this.#tell(slot, incarnation, { type: 'exit' });
    this.#exitReports.add(slot, ended, recordExit);
  }

  /** Sends a signal. Peeks into a worker first, once, when the watchdog kills it. */
  #kill(action: Extract<ClusterAction, { type: 'signal' }>): void {
    const worker = this.#process(action);
    if (worker === undefined) return;
    const isWatchdog = action.signal === 'SIGKILL' && this.#life(action.slot, action.incarnation)?.fault !== undefined;
    if (isWatchdog && this.#config.forensics.peek && !this.#peeked.has(worker)) {
      this.#peeked.add(worker);
      void this.#watch.beforeKill(worker).then(() => worker.kill(action.signal));
    } else worker.kill(action.signal);
  }

  *#serving(): Iterable<WorkerProcess> {
    for (const { slot, lives } of this.#state.slots) {
      for (const { incarnation, phase } of lives) {
        const worker = phase === 'ready' ? this.#processes.get(incarnationKey(slot, incarnation)) : undefined;
        if (worker !== undefined) yield worker;
      }
    }
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#watch.stop();
    this.#waits.stopped(this.#bootFailure?.error);
  }

  #life(slot: number, incarnation: number): Incarnation | undefined {
    return this.#state.slots[slot]?.lives.find((life) => life.incarnation === incarnation);
  }

  #process({ slot, incarnation }: { slot: number; incarnation: number }): WorkerProcess | undefined {
    return this.#processes.get(incarnationKey(slot, incarnation));
  }
}
