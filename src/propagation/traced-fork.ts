import { type ChildProcess, type ForkOptions, fork, type SpawnOptions, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SHARE_ENV, Worker, type WorkerOptions } from 'node:worker_threads';
import { withChildSpan } from './child-span.js';
import { environmentWithContext } from './environment.js';

/**
 * Calls `child_process.fork` with the active context in the child's environment (TRACEPARENT, TRACESTATE,
 * BAGGAGE). The first span of the child becomes a child of the span that is active here. With the option
 * `outgoing`, a span between the two lasts from the start of the child to its exit, and has its exit code or
 * signal.
 *
 * @example
 * const child = tracedFork('report.js', ['--month', '5']);
 */
export function tracedFork(modulePath: string | URL, options?: ForkOptions): ChildProcess;
export function tracedFork(modulePath: string | URL, args?: readonly string[], options?: ForkOptions): ChildProcess;
export function tracedFork(
  modulePath: string | URL,
  second?: readonly string[] | ForkOptions,
  third?: ForkOptions,
): ChildProcess {
  const [args, options] = argumentsAndOptions(second, third);
  const path = modulePath instanceof URL ? fileURLToPath(modulePath) : modulePath;
  return withChildSpan(path, () => fork(modulePath, args, { ...options, env: environmentWithContext(options.env) }));
}

/**
 * Calls `child_process.spawn`, as {@link tracedFork} calls `fork`. It suits any program that reads
 * TRACEPARENT, and with the option `outgoing` also others.
 *
 * @example
 * const child = tracedSpawn('ffmpeg', ['-i', 'in.mov', 'out.mp4']);
 */
export function tracedSpawn(command: string, options?: SpawnOptions): ChildProcess;
export function tracedSpawn(command: string, args?: readonly string[], options?: SpawnOptions): ChildProcess;
export function tracedSpawn(
  command: string,
  second?: readonly string[] | SpawnOptions,
  third?: SpawnOptions,
): ChildProcess {
  const [args, options] = argumentsAndOptions(second, third);
  return withChildSpan(programOf(command, options.shell), () =>
    spawn(command, args, { ...options, env: environmentWithContext(options.env) }),
  );
}

/**
 * Starts a `worker_threads` Worker with the active context in its environment. The first span of the thread
 * becomes a child of the span that is active here. With `env: SHARE_ENV` the thread has no environment of its
 * own, so no context is passed.
 *
 * @example
 * const thread = tracedWorker(new URL('./resize.js', import.meta.url), { workerData: image });
 */
export function tracedWorker(filename: string | URL, options: WorkerOptions = {}): Worker {
  if (options.env === SHARE_ENV) return new Worker(filename, options);
  return new Worker(filename, { ...options, env: environmentWithContext(options.env as NodeJS.ProcessEnv) });
}

/** With a shell the command is a line of text for it, which may hold anything. */
function programOf(command: string, shell: SpawnOptions['shell']): string {
  if (!shell) return command;
  if (typeof shell === 'string') return shell;
  return process.platform === 'win32' ? (process.env.comspec ?? 'cmd.exe') : 'sh';
}

/** Node's own functions allow to leave out the arguments. */
function argumentsAndOptions<Options extends ForkOptions | SpawnOptions>(
  second: readonly string[] | Options = [],
  third?: Options,
): [args: readonly string[], options: Partial<Options>] {
  return Array.isArray(second) ? [second, third ?? {}] : [[], third ?? (second as Options)];
}
