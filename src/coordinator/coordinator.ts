/**
 * The coordinator: the supervisor, and everything that starts and stops with it: signals, hooks, shipper,
 * viewer, control socket.
 *
 * @module
 */

import cluster from 'node:cluster';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { resolveConfig } from '../config/index.js';
import type { ResolvedConfig } from '../config/resolved.js';
import type { TracingConfig } from '../config/types.js';
import { describeValue, ForktraceError } from '../errors.js';
import { ownFile } from '../own-files.js';
import { announce } from '../process/announce.js';
import { describeDestination } from '../process/destination.js';
import { endIfUncaught } from '../process/failed-start.js';
import { hasTerminal } from '../process/has-terminal.js';
import { isInContainer } from '../process/pid-namespace.js';
import { type TerminationSignal, TerminationSignals } from '../process/termination-signals.js';
import { warn } from '../warn.js';
import { ClusterShippers, shipsJournals } from './cluster-shippers.js';
import { ControlServer } from './control-server.js';
import { exitEvidenceOf } from './exit-evidence.js';
import type { ClusterHandle, ClusterStats } from './handle.js';
import { CoordinatorHooks } from './hooks.js';
import { type LifecycleSpans, noLifecycleSpans } from './lifecycle-spans.js';
import { Supervisor } from './supervisor.js';
import { ViewerProcess } from './viewer-process.js';

export class Coordinator implements ClusterHandle {
  readonly role = 'coordinator';
  readonly #config: ResolvedConfig;
  readonly #startedAt = performance.now();
  readonly #hooks: CoordinatorHooks;
  readonly #lifecycle: LifecycleSpans;
  readonly #shippers: ClusterShippers;
  readonly #supervisor: Supervisor;
  readonly #hadTerminal = hasTerminal();
  #control: ControlServer | undefined;
  #viewer: ViewerProcess | undefined;
  #stopping: Promise<void> | undefined;
  #hasStopped = false;
  #signals: TerminationSignals | undefined;

  /** Starts the cluster. Resolves when all workers are ready. */
  static async start(userConfig: TracingConfig): Promise<Coordinator> {
    const config = resolveConfig(userConfig, process.env, 'serves');
    const coordinator = new Coordinator(config, await openLifecycleSpans(config));
    if (config.instrumentations === 'auto') instrumentWorkers();
    await coordinator.#start();
    return coordinator;
  }

  private constructor(config: ResolvedConfig, lifecycle: LifecycleSpans | undefined) {
    this.#config = config;
    this.#shippers = new ClusterShippers(config, lifecycle !== undefined);
    this.#lifecycle = lifecycle ?? noLifecycleSpans;
    this.#hooks = new CoordinatorHooks(config.hooks);
    this.#supervisor = new Supervisor(config, {
      hooks: this.#hooks,
      lifecycle: this.#lifecycle,
      environment: () => ({ FORKTRACE_VIEWER_URL: this.#viewer?.otlpUrl, ...this.#shippers.environment() }),
      blocked: (workers) => this.#viewer?.blocked(workers),
      // The hook waits for it, the next worker does not.
      recovered: (pid, death) => this.#shippers.writerExited(pid, death),
      exitEvidence: (pid, forkedAtMs) => exitEvidenceOf(this.#shippers.journalDirs, pid, forkedAtMs),
    });
  }

  async #start(): Promise<void> {
    this.#signals = new TerminationSignals(['SIGTERM', 'SIGINT'], {
      stop: (signal) => void this.#endedBy(signal),
      force: (signal) => this.#force(signal),
      // Only a stop that takes a while is announced.
      again: () => this.#announceStop(),
      handled: () => void this.#stopOnce('signal'),
    });
    if (this.#config.supervise.reloadOnSighup) process.on('SIGHUP', this.#onHangup);
    if (process.platform !== 'win32') {
      process.on('SIGTTIN', this.#onMore);
      process.on('SIGTTOU', this.#onFewer);
    }
    try {
      await this.#hooks.run('onStarting');
      await this.#startCompanions();
      if (this.#stopping) throw new ForktraceError('FORKTRACE_STOPPING', []);
      await this.#supervisor.start();
      this.#announceAddress();
    } catch (error) {
      const failure = this.#supervisor.bootFailure;
      await this.shutdown();
      if (failure) endIfUncaught(failure.error, failure.exitCode, true);
      // The signal ends this process now; an unhandled rejection must not end it before.
      else await sleep(SIGNAL_TAKES_EFFECT_MS);
      // Another start in this process has listeners of its own.
      this.#signals.uninstall();
      throw error;
    }
  }

  async #startCompanions(): Promise<void> {
    this.#control = await ControlServer.start({
      stats: () => this.stats(),
      reload: () => this.reload(),
      scale: (workers) => this.scale(workers),
      kill: (slot) => this.#supervisor.kill(slot),
      openInspector: (slot) => this.#supervisor.openInspector(slot),
      // The same signal that a service manager would send.
      stop: () => void process.kill(process.pid, 'SIGTERM'),
    });
    if (this.#config.viewer) {
      this.#viewer = await ViewerProcess.start({ ...this.#config.viewer, journals: dirname(this.#config.journal.dir) });
    }
    announce(describeDestination(this.#config, this.#viewer?.url));
    await this.#shippers.start(this.#viewer?.otlpUrl);
  }

  #announceAddress(): void {
    const { workers } = this.stats();
    const address = workers.find((worker) => worker.address !== undefined)?.address;
    const count = `${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}`;
    if (address) announce(`serving at ${clickable(address)} with ${count}`);
  }

  workers() {
    return this.#supervisor.workers();
  }

  stats(): ClusterStats {
    const { phase, size, slots, breaker } = this.#supervisor.cluster;
    const workers = this.workers();
    return {
      phase,
      serviceName: this.#config.serviceName,
      pid: process.pid,
      uptimeMs: performance.now() - this.#startedAt,
      size,
      ready: workers.filter(({ state }) => state === 'ready').length,
      restarts: slots.reduce((sum, { restarts }) => sum + restarts, 0),
      breaker: breaker.state,
      workers,
      shipper: this.#shippers.stats,
      viewerUrl: this.#viewer?.url,
    };
  }

  reload(): Promise<readonly number[]> {
    return this.#supervisor.reload();
  }

  async scale(workers: number): Promise<void> {
    if (!Number.isSafeInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
      throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [
        'workers',
        describeValue(workers),
        `a whole number from 1 to ${MOST_WORKERS}`,
      ]);
    }
    await this.#supervisor.scale(workers);
  }

  shutdown(): Promise<void> {
    return this.#stopOnce('shutdown');
  }

  #stopOnce(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    const endsAt = performance.now() + this.#config.supervise.shutdownTimeoutMs;
    this.#lifecycle.shutdownStarted(reason);
    await this.#supervisor.shutdown();
    this.#lifecycle.shutdownEnded();
    this.#lifecycle.close();
    const left = endsAt - performance.now();
    // In a container the shipper may end with this process, so a shipper that has just started gets all the
    // time.
    const most = isInContainer() ? Number.POSITIVE_INFINITY : SHIP_REST_MS;
    const rest = Math.min(most, Math.max(SHIP_REST_LEAST_MS, left));
    await this.#shippers.stop(rest);
    await this.#viewer?.stop();
    await this.#hooks.settled();
    await this.#hooks.run('onExit');
    this.#control?.close();
    process.off('SIGHUP', this.#onHangup);
    process.off('SIGTTIN', this.#onMore);
    process.off('SIGTTOU', this.#onFewer);
    // SIGTERM and SIGINT keep their listener until the end: a signal on its way while the last listener is
    // removed would be lost, and the process would live on. From now on a signal ends the process at once, as
    // it would without a listener.
  }

  /** Stops the workers, then ends this process by `signal`, as it would have ended without forktrace. */
  async #endedBy(signal: TerminationSignal): Promise<void> {
    await this.#stopOnce('signal');
    this.#hasStopped = true;
    // Warnings are written on a later tick; the last ones must be written before the end.
    await new Promise((resolve) => setImmediate(resolve));
    this.#signals?.reraise(signal);
  }

  #announceStop(): void {
    if (this.#hasStopped) return;
    const inFlight = this.workers().reduce((sum, { stats }) => sum + (stats?.inFlight ?? 0), 0);
    const deadline = this.#config.supervise.shutdownTimeoutMs / 1000;
    const requests = `${inFlight} ${inFlight === 1 ? 'request' : 'requests'} in flight`;
    announce(`stopping, ${requests}, at most ${deadline} s in all; again (Ctrl-C) to end at once`);
  }

  /** Handles a second signal: waits for nothing any more. */
  #force(signal: TerminationSignal): void {
    this.#supervisor.force();
    this.#signals?.reraise(signal);
  }

  /** SIGTTIN and SIGTTOU, as in Gunicorn: one worker more, one worker fewer. */
  readonly #onMore = (): void => this.#scaleBy(1);
  readonly #onFewer = (): void => this.#scaleBy(-1);

  #scaleBy(workers: number): void {
    const wanted = this.#supervisor.cluster.size + workers;
    // `scale` warns about a failure itself. The last worker stays.
    if (wanted >= 1) this.scale(wanted).catch((error) => warn('FORKTRACE_SCALE_FAILED', error.message));
  }

  readonly #onHangup = (): void => {
    if (this.#hadTerminal && !hasTerminal()) {
      // The listener stays: the shell and the kernel both send SIGHUP, and the second one would kill this
      // process.
      void this.#endedBy('SIGHUP');
      return;
    }
    // The reload warns about a failure itself.
    this.reload().catch(() => {});
  };
}

/**
 * The part of the deadline that is kept for shipping the rest, in milliseconds. What is not shipped by then
 * stays in the journal for the next shipper.
 */
const SHIP_REST_MS = 2000;
const SHIP_REST_LEAST_MS = 500;

const SIGNAL_TAKES_EFFECT_MS = 1000;

/** Undefined when the journal's directory cannot be used; a warning has said so. */
async function openLifecycleSpans(config: ResolvedConfig): Promise<LifecycleSpans | undefined> {
  if (!shipsJournals(config)) return noLifecycleSpans;
  try {
    const { JournalLifecycleSpans } = await import('./journal-lifecycle-spans.js');
    return new JournalLifecycleSpans(config);
  } catch (error) {
    // The workers find the same error and report it.
    if (!(error instanceof ForktraceError) || error.code !== 'FORKTRACE_JOURNAL_DIR') return noLifecycleSpans;
    warn('FORKTRACE_JOURNAL_DIR', `${error.message} Spans are exported by each worker (pipeline: 'batch') instead.`);
    return undefined;
  }
}

/** A terminal makes a URL clickable only if it names a host, so the wildcard address becomes localhost. */
function clickable(address: string): string {
  return address.replace(/\/\/(0\.0\.0\.0|\[::\])(?=:)/, '//localhost');
}

/** Above what any machine can run, so that a mistyped number is refused before anything is forked. */
const MOST_WORKERS = 1024;

/**
 * Makes workers enable instrumentations before they load the file that has called us, which may import the
 * instrumented packages.
 */
function instrumentWorkers(): void {
  const { execArgv = process.execArgv } = cluster.settings;
  const register = pathToFileURL(ownFile('register.js')).href;
  cluster.setupPrimary({ execArgv: [...execArgv, '--import', register] });
}
