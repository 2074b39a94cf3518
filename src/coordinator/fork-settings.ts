/**
 * How workers are forked: their standard error through a pipe, with a prefix their standard output too, and
 * an inspector that SIGUSR1 opens for the coordinator alone.
 *
 * @module
 */
import cluster from 'node:cluster';
import type { ResolvedConfig } from '../config/resolved.js';
import { PEEK_ARGUMENTS } from '../process/peek-arguments.js';
import { type StandardStream, TERMINAL_VARIABLES } from '../process/terminal-variable.js';

/**
 * Sets cluster up once, before the first fork. What the app has set up itself stays: who reads the workers'
 * standard error already, or debugs them, is not disturbed.
 *
 * @returns the workers' streams that come through a pipe
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
    // cluster adds the port, in the form that workers know it by.
    cluster.setupPrimary({ execArgv: [...execArgv, PEEK_ARGUMENTS[0]!], inspectPort: 0 });
  }
  return prefix ? ['stdout', 'stderr'] : ['stderr'];
}

/** Whether a worker stands still from its start until somebody's debugger lets it go on. */
export function waitsForDebugger(): boolean {
  return /--inspect-(brk|wait)/.test(optionsOfWorkers());
}

function optionsOfWorkers(): string {
  return [...(cluster.settings.execArgv ?? process.execArgv), process.env.NODE_OPTIONS ?? ''].join(' ');
}

/** For the environment of a worker whose streams are read. */
export function describeStreams(streams: readonly StandardStream[]): NodeJS.ProcessEnv {
  return Object.fromEntries(
    streams.map((name) => {
      const { isTTY, columns, rows } = process[name];
      return [TERMINAL_VARIABLES[name], isTTY ? `${columns}x${rows}` : 'no'];
    }),
  );
}
