/**
 * How workers are forked: their standard error through a pipe, and an inspector that SIGUSR1 opens for the
 * coordinator alone.
 *
 * @module
 */
import cluster from 'node:cluster';
import type { ResolvedConfig } from '../config/resolved.js';
import { PEEK_ARGUMENTS } from '../process/peek-arguments.js';
import { TERMINAL_VARIABLE } from '../process/terminal-variable.js';

/**
 * Sets cluster up once, before the first fork. What the app has set up itself stays: who reads the workers'
 * standard error already, or debugs them, is not disturbed.
 *
 * @returns whether the workers' standard error comes through a pipe
 */
export function setUpForks({ forensics, logs }: ResolvedConfig): boolean {
  const { settings } = cluster;
  const execArgv = settings.execArgv ?? process.execArgv;
  const isDebugged = optionsOfWorkers().includes('--inspect');
  if (!forensics.peek && !forensics.lastWords && !logs?.captureOutput) return false;
  if (settings.stdio !== undefined || settings.silent || isDebugged) return false;
  cluster.setupPrimary({ stdio: ['inherit', 'inherit', 'pipe', 'ipc'] });
  if (forensics.peek && settings.inspectPort === undefined && process.platform !== 'win32') {
    // cluster adds the port, in the form that workers know it by.
    cluster.setupPrimary({ execArgv: [...execArgv, PEEK_ARGUMENTS[0]!], inspectPort: 0 });
  }
  return true;
}

/** Whether a worker stands still from its start until somebody's debugger lets it go on. */
export function waitsForDebugger(): boolean {
  return /--inspect-(brk|wait)/.test(optionsOfWorkers());
}

function optionsOfWorkers(): string {
  return [...(cluster.settings.execArgv ?? process.execArgv), process.env.NODE_OPTIONS ?? ''].join(' ');
}

/** For the environment of a worker whose standard error is read. */
export function describeStderr(): NodeJS.ProcessEnv {
  const { isTTY, columns, rows } = process.stderr;
  return { [TERMINAL_VARIABLE]: isTTY ? `${columns}x${rows}` : 'no' };
}
