/**
 * Runs fixture programs as real processes, and leaves none behind.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isAlive, pidsWithEnvironment } from './alive.js';
import { removeAtExit } from './temp-dir.js';
import { waitFor } from './wait-for.js';
import { kill, killWithCoverage } from './write-coverage.js';

/**
 * Marks every process of one run, so that orphaned grandchildren are found too. Programs must hand it on to
 * their children.
 */
const RUN_VARIABLE = 'TEST_RUN_ID';

/** How long output may still come in after a process has ended. */
const ORPHAN_GRACE_MS = 1000;

export interface ProgramOptions {
  args?: string[];
  /**
   * Added to a clean environment: this process's, without OTEL_*, FORKTRACE_* and what npm and the test
   * runner set.
   */
  env?: Record<string, string | undefined>;
  execArgv?: string[];
  cwd?: string;
  /** Node to run it with. @default process.execPath */
  node?: string;
  /** An IPC channel, for `send` and `messages`. @default false */
  ipc?: boolean;
  /** A process group of its own, which `killGroup` signals as a terminal would. @default false */
  ownGroup?: boolean;
}

export interface ProgramExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The path of a compiled program in test/fixtures, named without extension. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}.js`, import.meta.url));
}

/** Starts a Node.js program; it and all its descendants are killed at the end of the test. */
export function runProgram(t: Pick<TestContext, 'after'>, path: string, options: ProgramOptions = {}): Program {
  const program = new Program(path, options);
  t.after(async () => {
    // A parent comes before its children, which may then end by themselves.
    if (process.env.NODE_V8_COVERAGE) for (const pid of program.pids()) await killWithCoverage(pid);
    await program.killAll();
  });
  return program;
}

export class Program {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  /** What came over the IPC channel, in order. */
  readonly messages: unknown[] = [];
  /** Set once the process has ended and its output is complete. */
  exit: ProgramExit | undefined;
  /** `performance.now()` when the process ended. */
  endedAt: number | undefined;

  /** Its TMPDIR, gone with it: no program finds what another one has left. */
  readonly #tempDir = removeAtExit(mkdtempSync(join(tmpdir(), 'forktrace-test-')));
  readonly #runEntry: string;
  /** Companions have an environment of their own, with the TMPDIR of who started them. */
  readonly #tempEntry = `TMPDIR=${this.#tempDir}`;
  readonly #known = new Set<number>();
  readonly #ownGroup: boolean;
  #spawnError: Error | undefined;

  constructor(path: string, options: ProgramOptions) {
    const runId = randomUUID();
    this.#runEntry = `${RUN_VARIABLE}=${runId}`;
    this.#ownGroup = options.ownGroup ?? false;
    this.child = spawn(options.node ?? process.execPath, [...(options.execArgv ?? []), path, ...(options.args ?? [])], {
      cwd: options.cwd,
      env: { ...cleanEnvironment(), TMPDIR: this.#tempDir, ...options.env, [RUN_VARIABLE]: runId },
      stdio: options.ipc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
      detached: this.#ownGroup,
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    this.child.on('message', (message) => this.messages.push(message));
    this.child.on('error', (error) => {
      this.#spawnError = error;
    });
    this.child.on('exit', (code, signal) => {
      this.endedAt = performance.now();
      const ended = () => {
        this.exit ??= { code, signal };
      };
      // Output is complete at 'close'; an orphan that holds the pipes must not hide the death of its parent.
      this.child.on('close', ended);
      setTimeout(ended, ORPHAN_GRACE_MS).unref();
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw this.#spawnError ?? new Error('the program did not start');
    return this.child.pid;
  }

  /** stdout and stderr, for messages of failed tests. */
  get output(): string {
    return `--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`;
  }

  /** Signals the process, or another one that belongs to it. */
  kill(signal: NodeJS.Signals, pid: number = this.pid): void {
    process.kill(pid, signal);
  }

  /** Signals the whole process group, as Ctrl-C in a terminal does. */
  killGroup(signal: NodeJS.Signals): void {
    if (!this.#ownGroup) throw new Error('start the program with ownGroup: true');
    process.kill(-this.pid, signal);
  }

  send(message: object): void {
    this.child.send(message);
  }

  /** Kill this one too at the end: a grandchild that has a clean environment, say. */
  know(pid: number): void {
    this.#known.add(pid);
  }

  /** Pids of all processes of this program that run, descendants and orphans included. */
  pids(): number[] {
    const own = this.exit || this.child.pid === undefined ? [] : [this.child.pid];
    return [
      ...new Set([
        ...own,
        ...this.#known,
        ...pidsWithEnvironment(this.#runEntry),
        ...pidsWithEnvironment(this.#tempEntry),
      ]),
    ].filter(isAlive);
  }

  /** Resolves with the match once stdout or stderr matches. */
  async waitForOutput(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
    const match = () => new RegExp(pattern, pattern.flags.replace(/[gy]/g, '')).exec(`${this.stdout}\n${this.stderr}`);
    return this.waitFor(() => match(), `output that matches ${pattern}`, timeoutMs);
  }

  async waitForMessage<T>(matches: (message: unknown) => message is T, timeoutMs?: number): Promise<T>;
  async waitForMessage(matches: (message: unknown) => boolean, timeoutMs?: number): Promise<unknown>;
  async waitForMessage(matches: (message: unknown) => boolean, timeoutMs?: number): Promise<unknown> {
    return this.waitFor(() => this.messages.find(matches), 'a message', timeoutMs);
  }

  async waitForExit(timeoutMs?: number): Promise<ProgramExit> {
    return waitFor(
      () => this.exit,
      () => `exit of the program\n${this.output}`,
      timeoutMs,
    );
  }

  /** As `waitFor`, but fails at once, with the output, when the program ends first. */
  async waitFor<T>(condition: () => T | Promise<T>, what: string, timeoutMs?: number): Promise<NonNullable<T>> {
    const orEnd = async () => {
      const ended = this.exit ?? this.#spawnError;
      const value = await condition();
      if (!value && ended)
        throw new Error(`the program ended before ${what}: ${JSON.stringify(ended)}\n${this.output}`);
      return value;
    };
    return waitFor(orEnd, () => `${what}\n${this.output}`, timeoutMs);
  }

  /** SIGKILL for all of it, until none is left: a supervisor may fork while it is being killed. */
  async killAll(): Promise<void> {
    await waitFor(
      () => {
        const pids = this.pids();
        for (const pid of pids) kill(pid);
        return pids.length === 0;
      },
      () => `the end of ${this.pids().join(', ')}`,
    );
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
    if (this.child.connected) this.child.disconnect();
    await rm(this.#tempDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const unwanted = /^(OTEL_|FORKTRACE_|npm_|NODE_TEST_CONTEXT$|NODE_ENV$|WEB_CONCURRENCY$|PORT$|TRACEPARENT$|pm_id$)/;
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.test(name)));
  // The repository has some installed for tests: a preload would find them in each program.
  return { ...own, FORKTRACE_INSTRUMENTATIONS: 'none' };
}
