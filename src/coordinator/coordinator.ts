/**
 * The coordinator: the supervisor, and what lives and dies with it — signals, hooks, shipper, viewer, control socket.
 *
 * @module
 */
import { resolveConfig } from '../config/resolve.js';
import type { ResolvedConfig } from '../config/resolved.js';
import type { TracingConfig } from '../config/types.js';
import { describeValue, ForktraceError } from '../errors.js';
import { type TerminationSignal, TerminationSignals } from '../worker/signals.js';
import { ControlServer } from './control-server.js';
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
  readonly #lifecycle: LifecycleSpans = noLifecycleSpans;
  readonly #supervisor: Supervisor;
  #control: ControlServer | undefined;
  #viewer: ViewerProcess | undefined;
  #stopping: Promise<void> | undefined;
  #signals: TerminationSignals | undefined;

  /** Resolves when all workers are ready. */
  static async start(userConfig: TracingConfig): Promise<Coordinator> {
    const coordinator = new Coordinator(resolveConfig(userConfig, process.env));
    await coordinator.#start();
    return coordinator;
  }

  private constructor(config: ResolvedConfig) {
    this.#config = config;
    this.#hooks = new CoordinatorHooks(config.hooks);
    this.#supervisor = new Supervisor(config, {
      hooks: this.#hooks,
      lifecycle: this.#lifecycle,
      environment: () => ({ FORKTRACE_VIEWER_URL: this.#viewer?.otlpUrl }),
      recovered: async () => ({ spansRecovered: 0, requestsInterrupted: 0 }),
    });
  }

  async #start(): Promise<void> {
    this.#signals = new TerminationSignals(
      ['SIGTERM', 'SIGINT'],
      (signal) => void this.#endedBy(signal),
      (signal) => this.#force(signal),
    );
    if (this.#config.supervise.reloadOnSighup) process.on('SIGHUP', this.#onHangup);
    await this.#hooks.run('onStarting');
    this.#control = await ControlServer.start({
      stats: () => this.stats(),
      reload: () => this.reload(),
      scale: (workers) => this.scale(workers),
      // As a service manager would.
      stop: () => void process.kill(process.pid, 'SIGTERM'),
    });
    if (this.#config.viewer) {
      this.#viewer = await ViewerProcess.start(this.#config.viewer);
      if (this.#viewer) process.stderr.write(`forktrace: traces at ${this.#viewer.url}\n`);
    }
    if (this.#stopping) throw new ForktraceError('FORKTRACE_STOPPING', []);
    try {
      await this.#supervisor.start();
    } catch (error) {
      await this.shutdown();
      const failure = this.#supervisor.bootFailure;
      if (failure) adoptExitCode(failure.exitCode);
      throw error;
    }
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
      shipper: undefined,
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
    this.#stopping ??= this.#stop('shutdown');
    return this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    this.#lifecycle.shutdownStarted(reason);
    await this.#supervisor.shutdown();
    await this.#hooks.settled();
    await this.#hooks.run('onExit');
    this.#lifecycle.shutdownEnded();
    this.#lifecycle.close();
    await this.#viewer?.stop();
    this.#control?.close();
    process.off('SIGHUP', this.#onHangup);
    this.#signals?.uninstall();
  }

  /** Ends this process by `signal` as it would have ended without us, once the workers are gone. */
  async #endedBy(signal: TerminationSignal): Promise<void> {
    const appListens = this.#signals?.appListensTo(signal);
    this.#stopping ??= this.#stop('signal');
    await this.#stopping;
    // Warnings are written on a later tick: the last ones, before the end.
    await new Promise((resolve) => setImmediate(resolve));
    if (!appListens) this.#signals?.reraise(signal);
  }

  /** A second signal: no more waiting. */
  #force(signal: TerminationSignal): void {
    this.#supervisor.force();
    this.#signals?.reraise(signal);
  }

  readonly #onHangup = (): void => {
    // What went wrong has been said as a warning.
    this.reload().catch(() => {});
  };
}

/** A limit that no machine reaches, to catch a mistyped number before it forks. */
const MOST_WORKERS = 1024;

/** If the process ends because nobody caught the boot failure, it ends with the worker's code instead of Node's 1. */
function adoptExitCode(code: number): void {
  process.once('exit', (ownCode) => {
    if (ownCode === 1) process.exitCode = code;
  });
}
