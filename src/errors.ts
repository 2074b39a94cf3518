/**
 * The one table of errors that forktrace throws on purpose.
 * Each has a stable code, and a message that names the option or file, what was found, and what is expected.
 *
 * @module
 */

import { numberOf } from './number-of.js';

interface ErrorEntry {
  /** What was found, what is expected, where, and what to do. */
  readonly message: (...args: never[]) => string;
  /** For docs/errors.md. */
  readonly when: string;
  /** What the operator does about it, for docs/errors.md; empty where that is plain. */
  readonly remedy: string;
}

/** docs/errors.md follows from this table: `npm run generate`. */
export const errors = {
  FORKTRACE_CONFIG_INVALID: {
    message: (option: string, found: string, expected: string) =>
      `Option ${option}: got ${found}, expected ${expected}.`,
    when: 'an option has a wrong value, or options contradict each other',
    remedy: 'the message names the option, what it got and what it takes',
  },
  FORKTRACE_ENV_INVALID: {
    message: (variable: string, found: string, expected: string) =>
      `Environment variable ${variable}: got ${found}, expected ${expected}.`,
    when: 'an environment variable has a wrong value',
    remedy: 'the message names the variable, what it got and what it takes; see [environment.md](environment.md)',
  },
  FORKTRACE_BUNDLED: {
    message: (program: string) =>
      `forktrace is bundled into ${program}, and the package is not installed there. A bundle lacks other files of the package: the shipper, and modules that are loaded later. Install it there (npm install forktrace), and exclude it from the bundle: esbuild --external:forktrace; rollup external: [/^forktrace(\\/|$)/]; webpack externals: [/^forktrace(\\/|$)/] with externalsType 'module' or 'commonjs'.`,
    when: 'a bundler has put forktrace into another file, and the package is not installed where that file runs',
    remedy: 'install the package there: [typescript-and-bundles.md](typescript-and-bundles.md)',
  },
  FORKTRACE_APP_UNSUPPORTED: {
    message: (found: string) =>
      `The app factory returned ${found}, expected a request listener (request, response) => …, an http, https or http2 server, an Express or Koa app, a Fastify instance, a Hono app, or { fetch }.`,
    when: 'the app factory returned something that cannot be served',
    remedy: 'return one of the kinds in the message',
  },
  FORKTRACE_APP_NO_FACTORY: {
    message: (path: string, found: string, others: readonly string[]) =>
      `The app module ${path} has ${found} as its default export${others.length > 0 ? ` (and exports ${others.join(', ')})` : ''}, expected an app, a function (worker) => app that makes one, or a module that calls listen itself. A program that listens only as the main module (require.main === module) is traced by node --import forktrace/register.`,
    when: "the app module's default export is neither an app nor a function that makes one, and the module does not call listen itself",
    remedy: '`export default app`, or `export default (worker) => app`; or `node --import forktrace/register app.js`',
  },
  FORKTRACE_APP_NOT_FOUND: {
    message: (path: string) =>
      `The app module ${path} does not exist, expected the path of a file, with its extension.`,
    when: "there is no file at the app's path",
    remedy: 'give the path of the file, with its extension',
  },
  FORKTRACE_LISTEN: {
    message: (address: string, reason: string) => `The server cannot listen on ${address}: ${reason}.`,
    when: 'the server cannot listen: the port is in use or needs a privilege, or the address is not one of this machine',
    remedy: 'the message names the address and, on Linux, the process of this user that uses it',
  },
  FORKTRACE_STARTED_TWICE: {
    message: () =>
      'startClusterWithTracing was called twice in this process, expected once: all workers run the same file, which can start only one cluster.',
    when: '`startClusterWithTracing` was called twice in one process',
    remedy: 'call it once; start another app in another program',
  },
  FORKTRACE_WORKER_START: {
    message: (slot: number, reason: string) => `Worker in slot ${slot} did not start: it ${sentence(reason)}`,
    when: 'a worker died, failed or was not ready in time at first boot; the others are stopped',
    remedy: "the stack of the app's error follows it; see `supervise.readyTimeoutMs`",
  },
  FORKTRACE_RELOAD_ABORTED: {
    message: (replaced: number, reason: string) =>
      `The reload was aborted after replacing ${numberOf(replaced, 'worker')}; the other old ones keep serving: ${sentence(reason)}`,
    when: 'a new worker did not start during a reload; the remaining old ones keep serving. After SIGHUP it is a warning',
    remedy: 'fix the app and reload again',
  },
  FORKTRACE_SCALE_FAILED: {
    message: (from: number, to: number, reason: string) =>
      `Scaling from ${from} to ${to} workers did not succeed: a new worker ${sentence(reason)}`,
    when: 'a worker that scaling added did not start',
    remedy: 'the running workers continue; fix the app',
  },
  FORKTRACE_RUN_DIR: {
    message: (path: string, found: string) =>
      `Run directory ${path}: ${found}, expected a directory that only this user can use. Set FORKTRACE_RUN_DIR to another one.`,
    when: 'the directory of the control socket belongs to another user, or other users can write to it',
    remedy: 'remove that directory, or set `FORKTRACE_RUN_DIR` to another one',
  },
  FORKTRACE_CONTROL_REQUEST: {
    message: (reason: string) =>
      `Bad control request: got ${reason}, expected GET /status, or POST /reload, /scale { workers } or { by }, /kill { slot }, /inspector { slot }, /stop.`,
    when: 'the control socket received something that is not one of its requests',
    remedy: 'see [cli.md](cli.md)',
  },
  FORKTRACE_NO_WORKER: {
    message: (slot: number, slots: number) =>
      `Slot ${slot} has no worker: the slots are 0 to ${slots - 1}, and a slot is empty while it waits for its respawn.`,
    when: '`forktrace kill` was given a slot that has no process',
    remedy: '`forktrace status` lists them',
  },
  FORKTRACE_NO_COORDINATOR: {
    message: (reason: string) => `No coordinator can be reached: ${reason}.`,
    when: 'the command found no running coordinator of this user, or it did not answer',
    remedy: 'start the cluster; run the command as the same user',
  },
  FORKTRACE_NO_INSPECTOR: {
    message: (pid: number | string, reason: string) => `Process ${pid} cannot be inspected: ${reason}.`,
    when: '`forktrace stack` and `forktrace profile`: the inspector of a process cannot be opened',
    remedy: 'the message says why; see [forensics.md](forensics.md)',
  },
  FORKTRACE_SEVERAL_COORDINATORS: {
    message: (pids: string) => `Several coordinators run: pids ${pids}. Name one with --pid.`,
    when: 'the command found more than one running coordinator of this user',
    remedy: 'select one with `--pid`',
  },
  FORKTRACE_NO_JOURNAL: {
    message: (path: string, found: string) =>
      `No journal at ${path || "''"}: found ${found}, expected a service's journal directory${found.includes('name one') ? '' : ', or a directory of such directories'}.`,
    when: '`ship` or `inspect` was given a directory without a journal',
    remedy: "give a service's journal directory, or its parent",
  },
  FORKTRACE_NO_DEATH: {
    message: (path: string, found: string) =>
      `No such death in ${path}: found ${found}, expected a service's journal directory with a recorded death.`,
    when: '`inspect --death` or `--deaths` was given a directory in which no such death is recorded',
    remedy: "give a service's journal directory, and an id that `inspect --deaths` lists",
  },
  FORKTRACE_NO_VIEWER: {
    message: (url: string, reason: string) => `No viewer answers at ${url}: ${reason}.`,
    when: '`forktrace mcp` is asked for traces, and no viewer runs at the address of `--viewer`',
    remedy:
      'start `forktrace viewer`, or a cluster in development, and give its address; FORKTRACE_VIEWER_TOKEN, if it has a token',
  },
  FORKTRACE_SHIPPER_AT_WORK: {
    message: (path: string) => `A running shipper delivers ${path}: nothing is left to do by hand.`,
    when: '`forktrace ship` was given a directory that a running shipper already delivers',
    remedy: 'nothing: the running shipper delivers the journal',
  },
  FORKTRACE_SHIP_INCOMPLETE: {
    message: (path: string, left: number, refused: number) =>
      `Not all of ${path} was delivered: ${numberOf(left, 'span')} kept in the journal, ${refused} refused for good. A warning above says why.`,
    when: '`ship` could not deliver all within `--timeout`, or the endpoint refused spans for good',
    remedy: 'the rest stays in the journal; fix what the warning above names and run it again',
  },
  FORKTRACE_STOPPING: {
    message: () => 'The cluster is stopping.',
    when: '`reload` or `scale` was called while the cluster stops',
    remedy: 'start the cluster again',
  },
  FORKTRACE_NOT_COORDINATOR: {
    message: () => 'This process is a worker, expected the coordinator: the process that forks.',
    when: '`reload()` or `scale()` in a worker',
    remedy: 'call it where `handle.role` is `coordinator`',
  },
  FORKTRACE_VIEWER_TOKEN: {
    message: (host: string) =>
      `The viewer would listen on ${host}, which other machines can reach: set a token (option token or FORKTRACE_VIEWER_TOKEN).`,
    when: 'the viewer would listen beyond loopback without a token',
    remedy: 'set a token: the option `token`, or `FORKTRACE_VIEWER_TOKEN`',
  },
  FORKTRACE_VIEWER_FILE: {
    message: (path: string, found: string) =>
      `The file ${path} ${found}, expected a file that the viewer has written, or a new one: name another.`,
    when: "`--file` names a file that is not the viewer's, or that cannot be written",
    remedy: 'name another file',
  },
  FORKTRACE_VIEWER_PORT: {
    message: (host: string, port: number, tried: number) =>
      `The viewer found no free port on ${host}: tried ${port} and ${tried - 1} more.`,
    when: 'the viewer found no free port near the one that was asked for',
    remedy: 'choose other ports with `--http-port` and `--grpc-port`',
  },
  FORKTRACE_INSTRUMENTATION_VERSION: {
    message: (what: string, needs: string, found: string, command: string) =>
      `The instrumentation ${what} needs ${needs}, found ${found}. Run ${command}, or turn it off with OTEL_NODE_DISABLED_INSTRUMENTATIONS.`,
    when: 'an installed instrumentation was made for another version of Node.js or of `@opentelemetry/api`, and would fail while the app serves',
    remedy: 'run the command that the message names; see [from-opentelemetry.md](from-opentelemetry.md)',
  },
  FORKTRACE_SPAN_TARGET: {
    message: (found: string) => `span: got ${found}, expected a function or a method to trace.`,
    when: '`span` was applied to something that is not a function, a method or a getter',
    remedy: 'apply it to a function, a method or a getter',
  },
  FORKTRACE_JOURNAL_DIR: {
    message: (dir: string, found: string) =>
      `Journal directory ${dir}: ${found}, expected a directory with mode 0700 that this user owns and can write to.`,
    when: 'the journal directory belongs to another user, is not writable, or has no space for the smallest segment. In a worker it is a warning, and spans go through the `batch` pipeline',
    remedy: 'set `journal.dir` to a directory that this user alone can write to',
  },
  FORKTRACE_JOURNAL_MMAP: {
    message: (reason: string) =>
      `Option journal.mode: got "mmap", which this process cannot do (${reason}), expected "auto" or "write".`,
    when: "`journal.mode: 'mmap'` where files cannot be mapped, or where a full disk would kill a process that maps them",
    remedy: "set `journal.mode` to `'auto'` or `'write'`",
  },
  FORKTRACE_MESSAGE_CHANNEL: {
    message: (found: string) =>
      `Message channel: got ${found}, expected a child process, a cluster worker, process (in a child), or a MessagePort or Worker.`,
    when: '`sendTraced` or `onTracedMessage` was given something that cannot carry messages',
    remedy: 'pass one of the kinds in the message',
  },
  FORKTRACE_CONTROL: {
    message: (reason: string) => reason,
    when: 'the coordinator failed to carry out a request, and the failure has no other code',
    remedy: 'the message says why',
  },
} as const satisfies Record<`FORKTRACE_${string}`, ErrorEntry>;

/** Adds a full stop, unless the reason ends with one. */
function sentence(reason: string): string {
  return reason.endsWith('.') ? reason : `${reason}.`;
}

/** The stable code of every error that forktrace throws. */
export type ErrorCode = keyof typeof errors;

/** An error that forktrace throws on purpose, with a stable `code`. */
export class ForktraceError<Code extends ErrorCode = ErrorCode> extends Error {
  /** Always `'ForktraceError'`. */
  override readonly name = 'ForktraceError';
  /** The stable code, for programs to compare with. docs/errors.md lists all codes. */
  readonly code: Code;

  constructor(code: Code, args: Parameters<(typeof errors)[Code]['message']>, options?: ErrorOptions) {
    super((errors[code].message as (...values: unknown[]) => string)(...args), options);
    this.code = code;
  }
}

/** Describes a wrong value in an error message: short, and without the contents of objects. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}…` : value);
  if (typeof value === 'function') return value.name ? `function ${value.name}` : 'a function';
  if (typeof value === 'object' && value !== null) {
    return Array.isArray(value)
      ? `an array of ${value.length}`
      : `an object (${value.constructor?.name ?? 'null prototype'})`;
  }
  return String(value);
}
