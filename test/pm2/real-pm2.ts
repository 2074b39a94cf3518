/**
 * A real pm2 with a daemon of its own, gone at the end of the test.
 *
 * @module
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { EcosystemApp } from 'forktrace/pm2';
import { isAlive } from '../process/alive.js';
import { waitFor } from '../process/wait-for.js';

const run = promisify(execFile);

interface ListedProcess {
  name: string;
  pid: number;
  pm_id: number;
  pm2_env: { status: string; restart_time: number; axm_monitor?: Record<string, { value: unknown }> };
}

export interface Terminal {
  child: ChildProcess;
  output: string;
}

export const pm2Binary = (name: 'pm2' | 'pm2-runtime') => createRequire(import.meta.url).resolve(`pm2/bin/${name}`);

export function ecosystemFile(app: EcosystemApp): string {
  const helper = fileURLToPath(import.meta.resolve('forktrace/pm2'));
  return `module.exports = require(${JSON.stringify(helper)}).defineEcosystem(${JSON.stringify(app)});`;
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(OTEL_|FORKTRACE_|NODE_TEST|npm_|NODE_OPTIONS)/.test(name)),
  );
}

export class RealPm2 {
  static async start(t: Pick<TestContext, 'after'>): Promise<RealPm2> {
    const pm2 = new RealPm2(await mkdtemp(join(tmpdir(), 'pm2-test-')));
    t.after(() => pm2.#remove());
    return pm2;
  }

  private constructor(readonly home: string) {}

  get daemonPid(): number {
    return Number(readFileSync(join(this.home, 'pm2.pid'), 'utf8'));
  }

  /** Runs one pm2 command; rejects with its output when it fails. */
  command(...args: string[]): Promise<string> {
    return this.commandWith({}, ...args);
  }

  /** The same from a shell that has these variables, which pm2 takes over with `--update-env`. */
  async commandWith(env: Record<string, string>, ...args: string[]): Promise<string> {
    const own = { TMPDIR: this.home, PM2_HOME: this.home, PM2_DISABLE_VERSION_CHECK: 'true' };
    const { stdout } = await run(process.execPath, [pm2Binary('pm2'), ...args], {
      env: { ...cleanEnvironment(), ...own, ...env },
      cwd: this.home,
      timeout: 60_000,
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  }

  /** Starts the apps of an ecosystem object. */
  async startEcosystem(ecosystem: object): Promise<void> {
    const file = join(this.home, 'ecosystem.config.cjs');
    await writeFile(file, `module.exports = ${JSON.stringify(ecosystem)};`);
    await this.command('start', file);
  }

  /** Starts an app by an ecosystem file as users write it. */
  async startApp(app: EcosystemApp): Promise<void> {
    const file = join(this.home, 'ecosystem.config.cjs');
    await writeFile(file, ecosystemFile(app));
    await this.command('start', file);
  }

  /**
   * A command that goes on until it is ended, on a terminal of its own; `pm2-runtime` and `pm2 monit`, say.
   */
  open(t: Pick<TestContext, 'after'>, command: string, env: NodeJS.ProcessEnv = {}): Terminal {
    const child = spawn('script', ['-qefc', `stty cols 120 rows 40; ${command}`, '/dev/null'], {
      env: { ...cleanEnvironment(), TERM: 'xterm', TMPDIR: this.home, PM2_HOME: this.home, ...env },
      cwd: this.home,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const terminal: Terminal = { child, output: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      terminal.output += text;
    });
    t.after(() => child.kill('SIGKILL'));
    return terminal;
  }

  /**
   * `pm2-runtime` as PID 1 of a container: of a pid namespace, in which nothing outlives it. Needs Linux and
   * root.
   */
  async container(t: Pick<TestContext, 'after'>): Promise<{ runtime: Terminal; stop: () => void }> {
    const namespace = ['--pid', '--fork', '--mount-proc', '--kill-child'];
    const child = spawn('unshare', [...namespace, process.execPath, pm2Binary('pm2-runtime'), 'ecosystem.config.cjs'], {
      env: { ...cleanEnvironment(), TMPDIR: this.home, PM2_HOME: this.home },
      cwd: this.home,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => child.kill('SIGKILL'));
    const runtime: Terminal = { child, output: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        runtime.output += text;
      });
    }
    const children = `/proc/${child.pid}/task/${child.pid}/children`;
    const pid = await waitFor(() => Number(readFileSync(children, 'utf8').trim()) || undefined, 'PID 1');
    return { runtime, stop: () => process.kill(pid, 'SIGTERM') };
  }

  async list(): Promise<ListedProcess[]> {
    const out = await this.command('jlist');
    // pm2 may print notices before the JSON.
    return JSON.parse(out.slice(out.indexOf('[{') === -1 ? out.indexOf('[]') : out.indexOf('[{')));
  }

  /** What the daemon says of its processes. */
  daemonLog(): string {
    return readFileSync(join(this.home, 'pm2.log'), 'utf8');
  }

  async logs(): Promise<string> {
    return this.command('logs', '--nostream', '--lines', '200');
  }

  async #remove(): Promise<void> {
    let pids: number[] = [];
    // pm2-runtime has no daemon, and its processes end with it.
    const hasDaemon = existsSync(join(this.home, 'pm2.pid'));
    try {
      if (!hasDaemon) return;
      pids = [this.daemonPid, ...(await this.list()).map(({ pid }) => pid)];
      await this.command('kill');
    } finally {
      for (const pid of pids) {
        // What the daemon left when a test killed it.
        if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGKILL');
      }
      await waitFor(() => pids.every((pid) => pid <= 0 || !isAlive(pid)), 'the end of pm2 and its apps');
      await rm(this.home, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}
