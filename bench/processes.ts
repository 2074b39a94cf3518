/**
 * The processes of a benchmark, and what the operating system says of their CPU time and memory.
 *
 * @module
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

export const benchRoot = fileURLToPath(new URL('../bench/', import.meta.url));

/** USER_HZ: the unit of utime and stime in /proc/<pid>/stat (proc(5)). */
const TICKS_PER_SECOND = 100;

const canPin = process.platform === 'linux' && availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

/** A forked program that answers messages one at a time. */
export class BenchProcess {
  readonly child: ChildProcess;

  constructor(
    program: string,
    args: string[],
    options: { core?: number; env?: NodeJS.ProcessEnv; nodePath?: string; execArgv?: string[] } = {},
  ) {
    this.child = fork(program, args, {
      env: { ...process.env, ...options.env },
      execPath: options.nodePath ?? process.execPath,
      execArgv: options.execArgv ?? [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    if (options.core !== undefined) {
      pin(this.child.pid!, options.core);
    }
  }

  async ask<Answer>(message: unknown): Promise<Answer> {
    this.child.send(message as object);
    return this.next();
  }

  async next<Answer>(): Promise<Answer> {
    const answered = new AbortController();
    const exited = once(this.child, 'exit', answered).then(([code, signal]) => {
      throw new Error(`${this.child.spawnargs.slice(1).join(' ')} ended (${signal ?? code})`);
    });
    exited.catch(() => {});
    const message = once(this.child, 'message', answered);
    message.catch(() => {});
    const [answer] = (await Promise.race([message, exited])) as [Answer & { error?: string }];
    answered.abort();
    if (answer?.error) throw new Error(answer.error);
    return answer;
  }

  tell(message: unknown): void {
    this.child.send(message as object);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 20_000): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), timeoutMs);
    await exited;
    clearTimeout(timer);
  }
}

interface Stat {
  pid: number;
  command: string;
  cpuSeconds: number;
  rss: number;
}

/** The fields behind the command's name (proc(5)): the first is the state. */
function statFields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function readStat(pid: number): Stat | undefined {
  try {
    const fields = statFields(pid);
    return {
      pid,
      command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '),
      cpuSeconds: schedSeconds(pid) ?? (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      rss: Number(fields[21]) * 4096,
    };
  } catch {
    return undefined; // the process has just ended
  }
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(statFields(pid)[1]);
  } catch {
    return undefined;
  }
}

/**
 * Time on CPU of all threads in nanoseconds, where the kernel keeps it: a tick is 10 ms, too coarse for a
 * shipper.
 */
function schedSeconds(pid: number): number | undefined {
  try {
    let nanoseconds = 0;
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    }
    return nanoseconds / 1e9;
  } catch {
    return undefined;
  }
}

/**
 * Resident bytes of `pid`, where pages that it shares with others count by its share (PSS, proc(5) smaps),
 * without those of programs and libraries: Node's own code is there once for all processes that run it, so
 * that the share of each depends on how many do, and a shipper beside a worker would halve the worker's.
 */
export function proportionalSetSize(pid: number): number {
  let kilobytes = 0;
  let isProgram = false;
  const program = readlinkSync(`/proc/${pid}/exe`);
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    const mapping = /^[\da-f]+-[\da-f]+ \S+ \S+ \S+ \d+ *(.*)$/.exec(line);
    if (mapping) isProgram = mapping[1] === program || /\.so(\.\d+)*$/.test(mapping[1]!);
    else if (!isProgram && line.startsWith('Pss:')) kilobytes += Number.parseInt(line.slice(4), 10);
  }
  return kilobytes * 1024;
}

/** Moves a process to another core than the one that it has inherited. */
export function pin(pid: number, core: number): void {
  if (canPin) spawnSync('taskset', ['-a', '-cp', String(core), String(pid)]);
}

/** Lets a process go first on its core, where that is allowed. */
export function prioritize(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Only root may.
  }
}

/** CPU seconds of `pid` and its descendants, and of the shipper, which is nobody's child. */
export function treeCpuSeconds(pid: number, shipper?: number): number {
  return members(pid, shipper).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

/**
 * Lets all of a process's session go before those of others, where that is allowed: Linux shares CPU time
 * between sessions first, and niceness counts within one (sched(7), autogroup).
 *
 * @returns undoes it. A session that outlives the benchmark, as that of a terminal, would starve all others.
 */
export function prioritizeSession(pid: number): () => void {
  const file = `/proc/${pid}/autogroup`;
  try {
    const [, before] = /nice (-?\d+)/.exec(readFileSync(file, 'utf8'))!;
    writeFileSync(file, '-20');
    return () => writeFileSync(file, before!);
  } catch {
    // Only root may, and not every kernel has it.
    return () => {};
  }
}

/** CPU seconds of a contestant, by process. */
export interface Cpu {
  worker: number;
  shipper: number;
  /** What worker and shipper have started. */
  others: number;
}

export function cpuSeconds(worker: number, shipper: number | undefined): Cpu {
  const cpu: Cpu = { worker: 0, shipper: 0, others: 0 };
  for (const { pid, cpuSeconds } of members(worker, shipper))
    cpu[pid === worker ? 'worker' : pid === shipper ? 'shipper' : 'others'] += cpuSeconds;
  return cpu;
}

/**
 * `pid`, its descendants, and the shipper with its. Of other processes only the parent is read: the time that
 * this takes is at the edges of what is measured.
 */
export function members(pid: number, shipper?: number): Stat[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), parent: parentOf(Number(name)) }));
  const found = shipper === undefined || shipper === pid ? [pid] : [pid, shipper];
  for (const one of found)
    found.push(...parents.filter(({ pid, parent }) => parent === one && !found.includes(pid)).map(({ pid }) => pid));
  return found.map(readStat).filter((stat) => stat !== undefined);
}
