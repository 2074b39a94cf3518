/**
 * The environment that pm2 gives a process, including the part that it packs into one variable.
 *
 * @module
 */

/** pm2's kill_timeout when the ecosystem file has none (pm2 documentation, "Graceful Shutdown"). */
const DEFAULT_KILL_TIMEOUT_MS = 1600;
/** Milliseconds between the end of the shutdown deadline and pm2's SIGKILL, for the exit itself. */
const EXIT_MARGIN_MS = 250;

/** Variables that a preload needs before pm2 has unpacked the app's environment. */
const NEEDED =
  /^(OTEL_|FORKTRACE_|NODE_ENV$|NODE_APP_INSTANCE$|PORT$|WEB_CONCURRENCY$|pm_id$|pm_exec_path$|pm_err_log_path$|instance_var$|restart_time$|kill_timeout$)/;

/**
 * Whether pm2 started this process: as a cluster worker before or after its container ran, or in fork mode.
 */
export function startedByPm2(env: NodeJS.ProcessEnv): boolean {
  return env.pm_id !== undefined || env.pm2_env !== undefined;
}

/**
 * In cluster mode pm2 packs the app's environment into one variable, `pm2_env`, and unpacks it only after
 * preloads have run, so that a preload would see none of it. This unpacks what tracing needs. A variable that
 * is set already keeps its value.
 */
export function unpackPm2Environment(env: NodeJS.ProcessEnv): void {
  if (env.pm2_env === undefined) return;
  let packed: unknown;
  try {
    packed = JSON.parse(env.pm2_env);
  } catch {
    return; // another program's variable of the same name
  }
  if (typeof packed !== 'object' || packed === null) return;
  const { env: nested, ...own } = packed as Record<string, unknown>;
  for (const source of [own, nested]) {
    if (typeof source !== 'object' || source === null) continue;
    for (const [name, value] of Object.entries(source)) {
      const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
      if (scalar && NEEDED.test(name) && env[name] === undefined) env[name] = String(value);
    }
  }
}

/** Milliseconds from pm2's SIGINT to its SIGKILL, minus a margin for the exit. */
export function pm2ShutdownTimeoutMs(env: NodeJS.ProcessEnv): number {
  const configured = Number(env.kill_timeout ?? env.PM2_KILL_TIMEOUT);
  const killTimeoutMs = Number.isFinite(configured) && configured > 0 ? configured : DEFAULT_KILL_TIMEOUT_MS;
  return Math.max(killTimeoutMs - EXIT_MARGIN_MS, killTimeoutMs / 2);
}
