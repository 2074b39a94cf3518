/**
 * Standard output and standard error in a worker whose coordinator reads them: the app sees the same kind of
 * stream as without the coordinator.
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

/**
 * Whether the coordinator reads standard error. Also in worker threads, which write through the main thread.
 */
export function isStderrRead(): boolean {
  return getEnvironmentData(IS_READ) === true;
}

/**
 * Call it once, before the app is loaded.
 * @returns the streams that the coordinator reads
 */
export function keepStreamsAsTheyWere(env: NodeJS.ProcessEnv): ReadonlySet<StandardStream> {
  const read = new Set<StandardStream>();
  for (const name of ['stdout', 'stderr'] as const) {
    const terminal = env[TERMINAL_VARIABLES[name]];
    if (terminal === undefined) continue;
    delete env[TERMINAL_VARIABLES[name]];
    read.add(name);
    const stream = process[name];
    // Writes are synchronous, as on a terminal or a file, so that the output is out when the process exits.
    (stream as unknown as { _handle?: Handle })._handle?.setBlocking?.(true);
    // When the coordinator is gone nobody reads, and the app must not fail because of it.
    stream.on('error', () => {});
    const size = /^(\d+)x(\d+)$/.exec(terminal);
    if (size !== null) actAsTerminal(stream, FD[name], Number(size[1]), Number(size[2]));
  }
  if (read.has('stderr')) setEnvironmentData(IS_READ, true);
  return read;
}

/** Adds the methods that programs with coloured output expect of a terminal. */
function actAsTerminal(stream: NodeJS.WriteStream, fd: number, columns: number, rows: number): void {
  const other = stream === process.stderr ? process.stdout : process.stderr;
  // Another stream that is a real terminal knows the current size.
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
