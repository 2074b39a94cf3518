/**
 * Standard error in a worker whose coordinator reads it: the app finds what it would find without that.
 *
 * @module
 */
import { syncBuiltinESMExports } from 'node:module';
import tty from 'node:tty';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { TERMINAL_VARIABLE } from '../process/terminal-variable.js';

interface Handle {
  setBlocking?(blocking: boolean): void;
}

const IS_READ = 'forktrace.stderr.read';

/** Whether the coordinator reads it; also in worker threads, whose output goes through the main thread. */
export function isStderrRead(): boolean {
  return getEnvironmentData(IS_READ) === true;
}

/** To be called once, before the app is loaded. */
export function keepStderrAsItWas(env: NodeJS.ProcessEnv): void {
  const terminal = env[TERMINAL_VARIABLE];
  if (terminal === undefined) return;
  delete env[TERMINAL_VARIABLE];
  setEnvironmentData(IS_READ, true);
  const { stderr } = process;
  // As a terminal or a file: what is written is out when the process exits.
  (stderr as unknown as { _handle?: Handle })._handle?.setBlocking?.(true);
  // The coordinator may be gone: then nobody reads, and that is nothing to fail of.
  stderr.on('error', () => {});
  const size = /^(\d+)x(\d+)$/.exec(terminal);
  if (size !== null) actAsTerminal(stderr, Number(size[1]), Number(size[2]));
}

/** What programs that write colours ask of a terminal. */
function actAsTerminal(stderr: NodeJS.WriteStream, columns: number, rows: number): void {
  const { stdout } = process;
  const given = { columns, rows };
  const own: PropertyDescriptorMap = { isTTY: { value: true } };
  for (const side of ['columns', 'rows'] as const) {
    own[side] = { get: () => (stdout.isTTY ? stdout[side] : given[side]) };
  }
  own.getWindowSize = { value: () => [stderr.columns, stderr.rows] };
  const { prototype } = tty.WriteStream;
  for (const name of [
    'getColorDepth',
    'hasColors',
    'clearLine',
    'clearScreenDown',
    'cursorTo',
    'moveCursor',
  ] as const) {
    own[name] = { value: prototype[name] };
  }
  for (const descriptor of Object.values(own)) Object.assign(descriptor, { configurable: true, enumerable: true });
  Object.defineProperties(stderr, own);
  if (stdout.isTTY) stdout.on('resize', () => stderr.emit('resize'));
  const { isatty } = tty;
  tty.isatty = (fd) => fd === 2 || isatty(fd);
  syncBuiltinESMExports();
}
