/**
 * Sees to it that somebody ships a journal directory: starts a shipper process where there is none, again
 * when it has died.
 *
 * @module
 */

import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import type { ResolvedConfig } from '../config/resolved.js';
import { ownFile } from '../own-files.js';
import { writeToStderr } from '../process/announce.js';
import { companionEnvironment } from '../process/companion-environment.js';
import { endsNamespace } from '../process/pid-namespace.js';
import { isSingleExecutable } from '../process/single-executable.js';
import { tellExit } from '../process/told-exit.js';
import { warn } from '../warn.js';
import { isConnected } from './destination-messages.js';
import { isShipperAlive } from './lock.js';
import { shipperArguments } from './node-arguments.js';
import { sayLeft } from './say-left.js';
import {
  type FromShipper,
  type KnownDeath,
  NOTHING_RECOVERED,
  parseFromShipper,
  type Recovered,
  type ShipperConfig,
  type ShipperStats,
  type StartedShipper,
  type ToShipper,
} from './shipper-messages.js';
import { sayUnheard } from './unheard.js';

const CHECK_MS = 1000;
/**
 * A shipper that a writer of this process is connected to lives, so that the lock is read in one of so many
 * checks alone: it may be frozen, in another container.
 */
const CHECKS_CONNECTED = 10;
const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 30_000;
/** A shipper that has lived so long has not failed at its start. */
const HEALTHY_MS = 10_000;
/** Even on a machine that is overloaded. */
const BOOTS_WITHIN_MS = 30_000;
/** A death is reported within a second, whether its journal has been finished by then or not. */
const ANSWER_MS = 1000;

export interface EnsureShipperOptions {
  /** Stay connected: be told of recoveries and statistics. Else the shipper is on its own once it runs. */
  attached: boolean;
  /** How long {@link ShipperKeeper.writerExited} waits for its answer. @default 1000 ms */
  answerMs?: number;
  /** After which a shipper that has said nothing yet is ended, and started again. @default 30,000 ms */
  bootsWithinMs?: number;
}

export function shipperConfigOf(config: ResolvedConfig): ShipperConfig {
  return {
    dir: config.journal.dir,
    maxBytes: config.journal.maxBytes,
    export: config.export,
    shutdownTimeoutMs: config.supervise.shutdownTimeoutMs,
  };
}

/** Keeps one shipper running for as long as this process needs it. The timers hold no process open. */
export function ensureShipper(config: ShipperConfig, options: EnsureShipperOptions): ShipperKeeper {
  return new ShipperKeeper(config, options);
}

export class ShipperKeeper {
  /** The latest statistics of an attached shipper. */
  stats: ShipperStats | undefined;
  readonly #config: ShipperConfig;
  readonly #attached: boolean;
  readonly #answerMs: number;
  readonly #bootsWithinMs: number;
  readonly #check: NodeJS.Timeout;
  readonly #waiting = new Map<number, ((found: Recovered | undefined) => void)[]>();
  #child: ChildProcess | undefined;
  #startedAt = 0;
  /** The one that was started last has said something. */
  #isReady = false;
  /** Why the last one ended or could not start; undefined once another runs. */
  #failure: string | undefined;
  /** How many in a row. */
  #failures = 0;
  #restartMs = RESTART_MIN_MS;
  #restart: NodeJS.Timeout | undefined;
  /** Checks since the lock was read. */
  #unread = 0;
  #stopping = false;

  constructor(config: ShipperConfig, options: EnsureShipperOptions) {
    const { attached, answerMs = ANSWER_MS, bootsWithinMs = BOOTS_WITHIN_MS } = options;
    this.#config = config;
    this.#bootsWithinMs = bootsWithinMs;
    this.#attached = attached;
    this.#answerMs = answerMs;
    sayUnheard(config.dir);
    this.#check = setInterval(() => this.#look(), CHECK_MS).unref();
    this.#ensure();
  }

  /** The pid of the shipper that this process has started, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Tells the shipper that a process has ended; resolves with what it found in its journal. With zeros where
   * no shipper answers within a second: the next one finds it told in the journal.
   */
  async writerExited(pid: number, exit: KnownDeath): Promise<Recovered> {
    const found = await this.#ask(pid, exit);
    if (found === undefined) tellExit(this.#config.dir, pid, exit);
    return found ?? NOTHING_RECOVERED;
  }

  #ask(pid: number, exit: KnownDeath): Promise<Recovered | undefined> {
    return new Promise((resolve) => {
      if (!this.#send({ type: 'writer-exit', pid, ...exit })) return resolve(undefined);
      const timer = setTimeout(() => answer(undefined), this.#answerMs);
      const answer = (found: Recovered | undefined) => {
        clearTimeout(timer);
        resolve(found);
      };
      this.#waiting.set(pid, [...(this.#waiting.get(pid) ?? []), answer]);
    });
  }

  /**
   * Ships what there is, and ends the shipper; resolves when it has exited, or after the deadline. Where the
   * shipper has just been killed another one does it, once.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.release();
    const endsAt = performance.now() + deadlineMs;
    const first = this.#child;
    const code = first && (await this.#stopChild(first, endsAt));
    // One that another program has started goes on by itself.
    if (code !== 0 && performance.now() <= endsAt && !isShipperAlive(this.#config.dir)) {
      this.#start();
      if (this.#child?.pid === undefined) this.#sayLeft();
      else await this.#stopChild(this.#child, endsAt);
    }
  }

  /**
   * @returns its exit code; null where it was killed, 0 also where it is still at it, or ships on for others
   */
  #stopChild(child: ChildProcess, endsAt: number): Promise<number | null> {
    return new Promise((resolve) => {
      // A little more than it has been given: it exits by itself.
      const timer = setTimeout(() => ended(0), Math.max(0, endsAt - performance.now()) + 500);
      const ended = (code: number | null) => {
        clearTimeout(timer);
        // What goes on for others does so without this process.
        child.stderr?.destroy();
        resolve(code);
      };
      // With its last words.
      child.once('close', ended);
      child.once('error', () => ended(1));
      child.on('message', (message) => {
        if (parseFromShipper(message)?.type === 'goes-on') ended(0);
      });
      if (child.exitCode !== null || child.signalCode !== null) return ended(child.exitCode);
      const deadlineMs = Math.max(0, endsAt - performance.now());
      // A channel that has just broken: its exit comes next.
      if (child.connected) child.send({ type: 'stop', deadlineMs } satisfies ToShipper, () => {});
    });
  }

  /**
   * Looks for a shipper now, where none was started here: a program that ends soon after its start does not
   * live until the next look.
   */
  lookAgain(): void {
    // Nobody lives until the next try.
    clearTimeout(this.#restart);
    this.#restart = undefined;
    this.#ensure();
    // One that has been killed once is another thing: the next delivers.
    if (this.#failures > 1 || (this.#failure !== undefined && this.#child?.pid === undefined)) this.#sayLeft();
  }

  /** No shipper could be started, or has stayed, and nobody is left to start one. */
  #sayLeft(): void {
    sayLeft(this.#config.dir, `no shipper could be started (${this.#failure ?? 'no process for it'})`);
  }

  /** Stops looking after the shipper; one that runs goes on until its work is done. */
  release(): void {
    this.#stopping = true;
    clearInterval(this.#check);
    clearTimeout(this.#restart);
  }

  #look(): void {
    if (this.#child === undefined && isConnected(this.#config.dir) && ++this.#unread < CHECKS_CONNECTED) return;
    this.#unread = 0;
    this.#ensure();
  }

  #ensure(): void {
    this.#endHung();
    if (this.#stopping || this.#child || this.#restart || isShipperAlive(this.#config.dir)) return;
    this.#start();
  }

  /** Node itself may wait for ever as it boots, where the system lets it have no more threads. */
  #endHung(): void {
    if (this.#child && !this.#isReady && performance.now() - this.#startedAt > this.#bootsWithinMs)
      this.#child.kill('SIGKILL');
  }

  #start(): void {
    // It would run the app again, which would start a shipper, and so on.
    if (isSingleExecutable()) return;
    this.#restart = undefined;
    this.#startedAt = performance.now();
    this.#isReady = false;
    let child: ChildProcess;
    try {
      child = this.#fork();
    } catch (error) {
      // No memory, or an environment that the system finds too long.
      this.#again((error as Error).message);
      return;
    }
    this.#child = child;
    child.on('error', (error) => this.#ended(child, error.message));
    child.on('exit', (code, signal) => this.#ended(child, code === 0 ? undefined : `it ended with ${signal ?? code}`));
    child.on('message', (message) => {
      const known = parseFromShipper(message);
      if (known) this.#hear(child, known);
    });
    // Not in arguments or environment, which others can read: it holds secrets. Not over IPC: a message that
    // a process has not read when its parent dies is lost, and a short job is gone before its shipper has
    // booted. A child for which there was no descriptor or process has no streams, and an `error` that is
    // still to come.
    const config: StartedShipper = { ...this.#config, starter: process.pid, attached: this.#attached };
    child.stdin?.on('error', () => {}).end(`${JSON.stringify(config)}\n`);
    relay(child.stderr as Socket | null);
    child.unref();
    // Bun has no such method, and does not wait for the channel of a child that is let go.
    child.channel?.unref?.();
  }

  #fork(): ChildProcess {
    // An orphan becomes a child of PID 1, and a zombie where that is this process, which does not know it.
    const program = this.#attached || endsNamespace ? 'shipper/main.js' : 'shipper/launch.js';
    return fork(ownFile(program), [], {
      env: companionEnvironment(process.env),
      // A session of its own: neither Ctrl-C nor the end of the terminal reaches it.
      detached: true,
      execArgv: shipperArguments(),
      stdio: ['pipe', prints(this.#config.export) ? 'inherit' : 'ignore', 'pipe', 'ipc'],
    });
  }

  #hear(child: ChildProcess, message: FromShipper): void {
    this.#isReady = true;
    switch (message.type) {
      case 'ready':
        this.#failure = undefined;
        this.#failures = 0;
        if (!this.#attached && child.connected) child.disconnect();
        break;
      case 'stats':
        this.stats = message.stats;
        break;
      case 'recovered': {
        const { type: _, pid, ...found } = message;
        for (const answer of this.#waiting.get(pid) ?? []) answer(found);
        this.#waiting.delete(pid);
        break;
      }
      case 'busy':
      case 'goes-on':
        break;
    }
  }

  #ended(child: ChildProcess, failure: string | undefined): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    for (const answers of this.#waiting.values()) for (const answer of answers) answer(undefined);
    this.#waiting.clear();
    if (failure !== undefined) this.#again(failure);
  }

  #again(failure: string): void {
    this.#failure = failure;
    this.#failures++;
    if (this.#stopping) return;
    warn('FORKTRACE_SHIPPER_DIED', `The shipper of ${this.#config.dir} is started again, because ${failure}.`);
    if (performance.now() - this.#startedAt > HEALTHY_MS) this.#restartMs = RESTART_MIN_MS;
    this.#restart = setTimeout(() => {
      this.#restart = undefined;
      this.#ensure();
    }, this.#restartMs).unref();
    this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MAX_MS);
  }

  #send(message: ToShipper): boolean {
    if (!this.#child?.connected) return false;
    this.#child.send(message, () => {});
    return true;
  }
}

/**
 * A shipper outlives its starter, and whoever reads a program's output waits until everybody who could write
 * to it has closed it (read(2): no end of file before): `exec()` with its callback, a shell with the end of
 * `2>&1 | tee`. So a shipper has no standard error of its starter's: what it says is written by its starter.
 */
function relay(said: Socket | null): void {
  said
    ?.setEncoding('utf8')
    .on('data', writeToStderr)
    .on('error', () => {});
  said?.unref?.();
}

const prints = ({ to, print, logs }: ShipperConfig['export']): boolean =>
  to === 'console' || print === true || (logs !== undefined && prints(logs));
