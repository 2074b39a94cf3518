/**
 * How workers are forked: the coordinator reads their standard error through a pipe, and with
 * `supervise.prefix` also their standard output; SIGUSR1 opens a worker's inspector for the coordinator
 * alone.
 *
 * @module
 */
import cluster from 'node:cluster';
import type { ResolvedConfig } from '../config/resolved.js';
import { PEEK_ARGUMENTS } from '../process/peek-arguments.js';
import { type StandardStream, TERMINAL_VARIABLES } from '../process/terminal-variable.js';

/**
 * Sets up node:cluster once, before the first fork. Settings of the app stay: the app may read the workers'
 * standard error itself, or debug them.
 *
 * @returns the workers' streams that the coordinator reads
 */
export function setUpForks({ forensics, logs, supervise }: ResolvedConfig): readonly StandardStream[] {
  const { settings } = cluster;
  const execArgv = settings.execArgv ?? process.execArgv;
  const isDebugged = optionsOfWorkers().includes('--inspect');
  const { prefix } = supervise;
  if (!forensics.peek && !forensics.lastWords && !logs?.captureOutput && !prefix) return [];
  if (settings.stdio !== undefined || settings.silent || isDebugged) return [];
  cluster.setupPrimary({ stdio: ['inherit', prefix ? 'pipe' : 'inherit', 'pipe', 'ipc'] });
  if (forensics.peek && settings.inspectPort === undefined && process.platform !== 'win32') {
    // node:cluster adds the port itself, in the form that workers know.
    cluster.setupPrimary({ execArgv: [...execArgv, PEEK_ARGUMENTS[0]!], inspectPort: 0 });
  }
  return prefix ? ['stdout', 'stderr'] : ['stderr'];
}

/** Whether workers wait for a debugger from their start. */
export function waitsForDebugger(): boolean {
  return /--inspect-(brk|wait)/.test(optionsOfWorkers());
}

function optionsOfWorkers(): string {
  return [...(cluster.settings.execArgv ?? process.execArgv), process.env.NODE_OPTIONS ?? ''].join(' ');
}

/** Variables for a worker whose streams are read. */
export function describeStreams(streams: readonly StandardStream[]): NodeJS.ProcessEnv {
  return Object.fromEntries(
    streams.map((name) => {
      const { isTTY, columns, rows } = process[name];
      return [TERMINAL_VARIABLES[name], isTTY ? `${columns}x${rows}` : 'no'];
    }),
  );
}
