/**
 * Standard output and standard error in a worker whose coordinator reads them: the app finds what it would
 * find without that.
 *
 * @module
 */
import { syncBuiltinESMExports } from 'node:module';
import tty from 'node:tty';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { type StandardStream, TERMINAL_VARIABLES } from '../process/terminal-variable.js';

interface Handle {
  setBlocking?(blocking: boolean): void;
}

const FD = { stdout: 1, stderr: 2 } as const;

const IS_READ = 'forktrace.stderr.read';

/** Whether the coordinator reads standard error; also in worker threads, which write through the main one. */
export function isStderrRead(): boolean {
  return getEnvironmentData(IS_READ) === true;
}

/** To be called once, before the app is loaded. @returns those that the coordinator reads */
export function keepStreamsAsTheyWere(env: NodeJS.ProcessEnv): ReadonlySet<StandardStream> {
  const read = new Set<StandardStream>();
  for (const name of ['stdout', 'stderr'] as const) {
    const terminal = env[TERMINAL_VARIABLES[name]];
    if (terminal === undefined) continue;
    delete env[TERMINAL_VARIABLES[name]];
    read.add(name);
    const stream = process[name];
    // As a terminal or a file: what is written is out when the process exits.
    (stream as unknown as { _handle?: Handle })._handle?.setBlocking?.(true);
    // The coordinator may be gone: then nobody reads, and that is nothing to fail of.
    stream.on('error', () => {});
    const size = /^(\d+)x(\d+)$/.exec(terminal);
    if (size !== null) actAsTerminal(stream, FD[name], Number(size[1]), Number(size[2]));
  }
  if (read.has('stderr')) setEnvironmentData(IS_READ, true);
  return read;
}

/** What programs that write colours ask of a terminal. */
function actAsTerminal(stream: NodeJS.WriteStream, fd: number, columns: number, rows: number): void {
  const other = stream === process.stderr ? process.stdout : process.stderr;
  // What is a terminal of its own knows the size of today.
  const sized = other instanceof tty.WriteStream ? other : undefined;
  const given = { columns, rows };
  const own: PropertyDescriptorMap = { isTTY: { value: true } };
  for (const side of ['columns', 'rows'] as const) own[side] = { get: () => sized?.[side] ?? given[side] };
  own.getWindowSize = { value: () => [stream.columns, stream.rows] };
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
  Object.defineProperties(stream, own);
  sized?.on('resize', () => stream.emit('resize'));
  const { isatty } = tty;
  tty.isatty = (asked) => asked === fd || isatty(asked);
  syncBuiltinESMExports();
}
