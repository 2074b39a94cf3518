/**
 * The one table of errors that forktrace throws on purpose.
 * Each has a stable code, and a message that names the option or file, what was found, and what is expected.
 *
 * @module
 */

const messages = {
  FORKTRACE_CONFIG_INVALID: (option: string, found: string, expected: string) =>
    `Option ${option}: got ${found}, expected ${expected}.`,
  FORKTRACE_ENV_INVALID: (variable: string, found: string, expected: string) =>
    `Environment variable ${variable}: got ${found}, expected ${expected}.`,
  FORKTRACE_APP_UNSUPPORTED: (found: string) =>
    `The app factory returned ${found}, expected a request listener, an http, https or http2 server, an Express or Koa app, a Fastify instance, a Hono app, or { fetch }.`,
  FORKTRACE_APP_NO_FACTORY: (path: string, found: string) =>
    `The app module ${path} has ${found} as its default export, expected a factory function (worker) => app.`,
  FORKTRACE_WORKER_START: (slot: number, reason: string) => `Worker in slot ${slot} did not start: it ${reason}.`,
  FORKTRACE_RELOAD_ABORTED: (replaced: number, reason: string) =>
    `The reload was aborted after ${replaced} of the workers, the others stay: ${reason}.`,
  FORKTRACE_SCALE_FAILED: (from: number, to: number, reason: string) =>
    `Scaling from ${from} to ${to} workers did not succeed: a new worker ${reason}.`,
  FORKTRACE_RUN_DIR: (path: string, found: string) =>
    `The run directory ${path} has ${found}, expected this user. Set FORKTRACE_RUN_DIR to another one.`,
  FORKTRACE_CONTROL_REQUEST: (reason: string) =>
    `Bad control request: ${reason}, expected one JSON object per line: { id?, command: 'status' | 'reload' | 'scale' | 'stop', argument? }.`,
  FORKTRACE_NO_COORDINATOR: (reason: string) => `No coordinator to talk to: ${reason}.`,
  FORKTRACE_SEVERAL_COORDINATORS: (pids: string) => `Several coordinators run: pids ${pids}. Name one by --pid.`,
  FORKTRACE_NO_JOURNAL: (path: string) =>
    `No journal in ${path}: expected a service's journal directory, or a directory of such directories.`,
  FORKTRACE_SHIPPER_AT_WORK: (path: string) => `A shipper is at work in ${path}: nothing is left to do by hand.`,
  FORKTRACE_SHIP_INCOMPLETE: (path: string, left: number, refused: number) =>
    `Not all of ${path} was delivered: ${left} spans are kept in it, ${refused} were refused for good. A warning above says why.`,
  FORKTRACE_STOPPING: () => 'The cluster is stopping.',
  FORKTRACE_NOT_COORDINATOR: () => 'This process is a worker, expected the coordinator: the process that forks.',
  FORKTRACE_VIEWER_TOKEN: (host: string) =>
    `The viewer would listen on ${host}, which other machines reach: give it a token (option token or FORKTRACE_VIEWER_TOKEN).`,
  FORKTRACE_VIEWER_FILE: (path: string) =>
    `The file ${path} holds something else than the viewer's traces: name another.`,
  FORKTRACE_VIEWER_PORT: (host: string, port: number, tried: number) =>
    `The viewer found no free port on ${host}: tried ${port} and ${tried - 1} more.`,
  FORKTRACE_SPAN_TARGET: (found: string) => `span: got ${found}, expected a function or a method to trace.`,
  FORKTRACE_JOURNAL_DIR: (dir: string, found: string) =>
    `Journal directory ${dir}: ${found}, expected a directory that this user owns, with mode 0700, and can write to.`,
  FORKTRACE_JOURNAL_MMAP: (reason: string) =>
    `Option journal.mode: got "mmap", which this process cannot do (${reason}), expected "auto" or "write".`,
  FORKTRACE_MESSAGE_CHANNEL: (found: string) =>
    `Messages: got ${found}, expected a child process, a cluster worker, process (in a child), or a MessagePort or Worker.`,
} as const;

/** The stable code of every error that forktrace throws. */
export type ErrorCode = keyof typeof messages;

/** An error that forktrace throws on purpose, with a stable `code`. */
export class ForktraceError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'ForktraceError';
  readonly code: Code;

  constructor(code: Code, args: Parameters<(typeof messages)[Code]>, options?: ErrorOptions) {
    super((messages[code] as (...values: unknown[]) => string)(...args), options);
    this.code = code;
  }
}

/** A short, safe rendering of a wrong value for an error message. */
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
