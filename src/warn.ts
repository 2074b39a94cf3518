/**
 * The warnings of forktrace: process warnings, which Node prints on stderr and apps can listen to.
 *
 * @module
 */

/** docs/errors.md follows from this table: `npm run generate`. */
export const warnings = {
  FORKTRACE_WORKER_DIED: {
    when: 'a worker died without being told to stop; it is respawned',
    lost: 'nothing: see [supervision.md](supervision.md)',
  },
  FORKTRACE_LISTEN_IGNORED: {
    when: 'the app calls listen itself, on another address than that of the option `listen`',
    lost: 'nothing; remove one of the two',
  },
  FORKTRACE_OPTION_IGNORED: {
    when: '`startWorkerTracing` was given `workers` or `listen`, which only `startClusterWithTracing` reads',
    lost: 'nothing',
  },
  FORKTRACE_SERVER_NOT_TRACED: {
    when: 'after `startWorkerTracing`, a server has listened for a second and was not given to `traceServer`',
    lost: 'the spans of its requests',
  },
  FORKTRACE_CRASH_LOOP: {
    when: 'too many workers died in a row: respawning stops, and after a pause one worker is tried',
    lost: 'nothing; see [supervision.md](supervision.md)',
  },
  FORKTRACE_CRASH_LOOP_OVER: {
    when: 'the worker that was tried became ready: workers are respawned again',
    lost: 'nothing',
  },
  FORKTRACE_RECYCLE_FAILED: {
    when: 'the successor of a worker that was to be recycled did not start; the old one continues to serve',
    lost: 'nothing',
  },
  FORKTRACE_HOOK_FAILED: {
    when: 'a hook threw or rejected; the message names the hook',
    lost: 'what that hook was to do',
  },
  FORKTRACE_HOOK_TIMEOUT: {
    when: 'a hook did not finish within `hooks.timeoutMs`; the process continues without waiting for it',
    lost: 'nothing: the hook runs on',
  },
  FORKTRACE_NO_CONTROL_SOCKET: {
    when: 'the coordinator could not open its control socket',
    lost: 'nothing, but `forktrace status`, `reload`, `scale`, `kill` and `stop` do not find the cluster',
  },
  FORKTRACE_START_FAILED: {
    when: 'tracing could not start under the preload because file descriptors or memory were exhausted, or Node.js runs with `--no-experimental-require-module`',
    lost: 'all spans of this process; it continues to run',
  },
  FORKTRACE_REGISTERED_TWICE: {
    when: 'two OpenTelemetry SDKs were started in the process: the one that registered first stays in use',
    lost: 'spans or log records that were meant for the other one; remove one of the two',
  },
  FORKTRACE_HTTP_INSTRUMENTED_TWICE: {
    when: 'another instrumentation also creates server spans; each request still has one SERVER span',
    lost: 'nothing; see [http.md](http.md#beside-other-instrumentations)',
  },
  FORKTRACE_HTTP_UNTRACED: {
    when: 'a part of a request, a response or an app threw when forktrace read it; the request was served, and its span may be missing or incomplete. The warning is given once per process',
    lost: 'that span, or parts of it; the message contains the error',
  },
  FORKTRACE_OUTGOING_MISSING: {
    when: '`outgoing` is on, and an instrumentation package is not installed',
    lost: 'its CLIENT spans',
  },
  FORKTRACE_INSTRUMENTATION_FAILED: {
    when: 'an installed instrumentation threw when it was enabled',
    lost: 'its spans',
  },
  FORKTRACE_API_COPIES: {
    when: 'two versions of `@opentelemetry/api` are loaded, and the older one was used first',
    lost: 'the spans of code that uses the newer one',
  },
  FORKTRACE_LOADED_TOO_EARLY: {
    when: 'a package was loaded before its instrumentation was enabled',
    lost: 'the spans of the packages that the message names; see [from-opentelemetry.md](from-opentelemetry.md)',
  },
  FORKTRACE_EXPORT_FAILED: {
    when: 'an export failed; see [delivery.md](delivery.md)',
    lost: '`journal`: nothing, it is tried again. `batch`: these spans',
  },
  FORKTRACE_EXPORT_RECOVERED: {
    when: 'an endpoint that failed accepts spans again',
    lost: 'nothing',
  },
  FORKTRACE_METRICS_FAILED: {
    when: 'an export of metrics failed; if the endpoint accepts no metrics at all, that is reported once',
    lost: 'the values of that export; later exports continue the sums',
  },
  FORKTRACE_DESTINATION_UNSAID: {
    when: 'a process could not store in its journal where its spans go',
    lost: 'nothing: its spans go to the same endpoint as those of other processes',
  },
  FORKTRACE_EXPORT_WARNING: {
    when: 'the endpoint accepted spans and sent a message, or accepts only smaller requests',
    lost: 'nothing',
  },
  FORKTRACE_SPANS_REFUSED: {
    when: 'the endpoint refused spans or log records for good: a whole request, or a part of one',
    lost: 'these spans or log records',
  },
  FORKTRACE_SPANS_SET_ASIDE: {
    when: 'the endpoint, or a proxy before it, fails each time that one span or log record is sent, does not name it as the reason, and accepts others; see [delivery.md](delivery.md)',
    lost: 'nothing yet: it is sent again at growing intervals, and refused for good after 8 failures, which takes at least 42 minutes',
  },
  FORKTRACE_LOGS_NOT_TAKEN: {
    when: 'the endpoint has no logs service: UNIMPLEMENTED, or HTTP 404. The warning is given once',
    lost: 'nothing yet: log records stay in the journal until it is full; spans are not affected',
  },
  FORKTRACE_LOGS_FLOOD: {
    when: 'a process logged more than `logs.maxPerSecond` records in a second',
    lost: 'the records above that limit',
  },
  FORKTRACE_LOGS_NEED_JOURNAL: {
    when: 'logs are turned on with the pipeline `batch`, which has no journal',
    lost: 'log records: they are not exported',
  },
  FORKTRACE_SPANS_LEFT: {
    when: 'a shipper ends, or none can be started until its program ends, and spans or log records stay in the journal',
    lost: 'nothing: the next start of the service, or `forktrace ship`, delivers them',
  },
  FORKTRACE_SPANS_DROPPED: {
    when: 'the journal directory reached `journal.maxBytes`; log records that were not shipped are dropped first, then spans, the oldest first',
    lost: 'these spans or log records',
  },
  FORKTRACE_JOURNAL_LOSS: {
    when: 'a span or a log record could not be written to the journal: no space is left, it is too large, or the journal is closed',
    lost: 'these spans or log records',
  },
  FORKTRACE_IN_FLIGHT_FULL: {
    when: 'more requests are in flight than the in-flight table can hold, or the system gives it no space. The warning is given once per process',
    lost: 'nothing, unless the process dies: the requests above that number would then not be reported as interrupted',
  },
  FORKTRACE_WRITER_RENEWED: {
    when: 'a shipper in another container took a living process for dead, because the process was stopped for more than 30 s or a clock was wrong',
    lost: 'nothing: requests that were in flight are reported as interrupted, and again when they end, with `forktrace.ended_after_interruption`',
  },
  FORKTRACE_USER_CHANGED: {
    when: "a process changed its user, as `process.setuid()` does, and the new user may not write to its journal directory; the journal continues in that user's own directory. See [kubernetes-systemd.md](kubernetes-systemd.md#a-process-that-changes-its-user)",
    lost: 'nothing',
  },
  FORKTRACE_JOURNAL_MALFORMED: {
    when: 'the shipper found and skipped damaged parts of a journal',
    lost: 'these parts',
  },
  FORKTRACE_SHIPS_INLINE: {
    when: 'under `--permission` without `--allow-child-process`, or in a single executable application, no shipper can be started, and the process ships its journal itself',
    lost: 'nothing; spans that a process has not shipped when it is killed wait in the journal for its next start',
  },
  FORKTRACE_SHIPPER_DIED: {
    when: 'the shipper died, and is started again',
    lost: 'nothing; spans in a request that was under way may arrive twice',
  },
  FORKTRACE_SHIPPER_FAILED: {
    when: 'the shipper could not start or continue',
    lost: 'nothing yet: spans stay in the journal',
  },
  FORKTRACE_VIEWER_FAILED: {
    when: 'the viewer did not start, or died; the cluster continues to serve',
    lost: 'its traces, unless it has a `file`',
  },
  FORKTRACE_VIEWER_FILE_WRITE: {
    when: 'the viewer cannot write its file, and keeps traces in memory only',
    lost: 'traces at its restart',
  },
  FORKTRACE_ENV_IGNORED: {
    when: 'a variable of OpenTelemetry has an unknown or unusable value, or has no effect in forktrace. There is one warning for each variable',
    lost: 'nothing; the default is used: see [environment.md](environment.md)',
  },
  FORKTRACE_ENV_UNKNOWN: {
    when: 'a variable begins with `FORKTRACE_` and is unknown',
    lost: 'nothing; the variable is not read',
  },
  FORKTRACE_JOURNAL_DIR: {
    when: 'the journal directory cannot be used (see the error)',
    lost: 'what the `batch` pipeline loses: spans that are not exported yet when their process dies',
  },
  FORKTRACE_SCALE_FAILED: {
    when: 'after SIGTTIN, the worker that was added did not start; the coordinator tries again',
    lost: 'nothing',
  },
  FORKTRACE_RELOAD_ABORTED: {
    when: 'a new worker did not start during a reload (see the error)',
    lost: 'nothing: the old workers stay',
  },
} as const satisfies Record<`FORKTRACE_${string}`, { when: string; lost: string }>;

/** The stable code of every warning. */
export type WarningCode = keyof typeof warnings;

/** The type of each, and its name as an error. */
const TYPE = 'ForktraceWarning';

/** Warnings whose tick has not come yet. */
const unsaid = new Set<Error>();

/**
 * One warning with a stable code, for `process.on('warning')`. Node.js emits it in the next tick; in a
 * process that exits before that, at the exit.
 */
export function warn(code: WarningCode, message: string): void {
  const warning = warningOf(code, message);
  if (unsaid.size === 0) process.once('exit', sayUnsaid);
  unsaid.add(warning);
  process.nextTick(() => {
    unsaid.delete(warning);
    if (unsaid.size === 0) process.off('exit', sayUnsaid);
  });
  process.emitWarning(message, { type: TYPE, code });
}

/** As {@link warn}, but synchronous, because an exiting process runs no later turn. */
export function warnNow(code: WarningCode, message: string): void {
  process.emit('warning', warningOf(code, message));
}

function warningOf(code: WarningCode, message: string): Error {
  return Object.assign(new Error(message), { name: TYPE, code });
}

function sayUnsaid(): void {
  for (const warning of unsaid) process.emit('warning', warning);
  unsaid.clear();
}

const FIRST_INTERVAL_MS = 60_000;
const LONGEST_INTERVAL_MS = 3_600_000;

/**
 * Counts losses. Warns at the first one at once, then at growing intervals (1 minute, doubling up to 1 hour),
 * and at the end.
 */
export class LossReport {
  /** All that was lost since the start. */
  total = 0;
  #unreported = 0;
  #reason = '';
  #intervalMs = FIRST_INTERVAL_MS;
  #nextReportAt = 0;
  readonly #code: WarningCode;
  readonly #describe: (lost: number, reason: string) => string;

  constructor(code: WarningCode, describe: (lost: number, reason: string) => string) {
    this.#code = code;
    this.#describe = describe;
  }

  /** @returns whether this call has warned */
  add(lost: number, reason: string, now = performance.now()): boolean {
    this.total += lost;
    this.#unreported += lost;
    this.#reason = reason;
    if (now < this.#nextReportAt) return false;
    warn(this.#code, this.#describe(this.#unreported, reason));
    if (this.#nextReportAt !== 0) this.#intervalMs = Math.min(this.#intervalMs * 2, LONGEST_INTERVAL_MS);
    this.#nextReportAt = now + this.#intervalMs;
    this.#unreported = 0;
    return true;
  }

  /**
   * Forgets losses that have not been reported.
   *
   * @param anew whether the next loss is reported at once
   */
  forget(anew: boolean): void {
    this.#unreported = 0;
    this.#intervalMs = FIRST_INTERVAL_MS;
    if (anew) this.#nextReportAt = 0;
  }

  /**
   * Reports now what has not been reported yet; works in `process.on('exit')`. The next loss is reported at
   * once.
   */
  end(): void {
    this.#nextReportAt = 0;
    this.#intervalMs = FIRST_INTERVAL_MS;
    if (this.#unreported === 0) return;
    warnNow(this.#code, this.#describe(this.#unreported, this.#reason));
    this.#unreported = 0;
  }
}
